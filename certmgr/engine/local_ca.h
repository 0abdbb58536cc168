// The box's own CA in operation: made at the first start, renewed in time, and always ready to sign.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/authority/authority.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Thread-safe; one caller makes or changes an authority, the others wait for it.
class LocalCa {
  public:
    LocalCa(KeyRing& keys, Records& records, const authority::AuthoritySettings& settings, EventLog& log)
        : keys_(keys), records_(records), settings_(settings), log_(log) {}

    // Makes a root and an issuing CA where there is none that still lives long enough for a new leaf, or that
    // was made by a clock that stood in the future, or whose key the key store has lost. Only on a trusted
    // clock are dates judged. A root and the one before it sign each other as long as both live. Returns the
    // id of the issuing CA in force.
    std::string ensure(TimePoint now, bool clockTrusted);

    // The CAs in force that sign leaves and inspection CAs; empty before the first ensure(). Make nothing.
    std::string issuingId();
    std::string rootId();

    // When ensure() has something to do next.
    TimePoint dueAt();

    // What an administrator changes; each takes force at once, and the root before stays trusted to its end.
    // A new root with this subject (empty: the box's own) and lifetime, and an issuing CA below it.
    void generate(const crypto::DistinguishedName& subject, seconds lifetime, TimePoint now,
                  bool clockTrusted);
    // A CA with its key, PEM: a root gets an issuing CA below it, any other signs the leaves itself.
    // "authority-known" for a key that a CA here has or had; errors of authority::admitCa and of
    // KeyStore::import.
    void import(std::string_view pem, TimePoint now, bool clockTrusted);
    // The request for an issuing CA below somebody else's root, PEM; the same one again until it is answered.
    std::string request();
    // The answer: the certificate and the CAs above it, PEM. "nothing-requested" and the errors of
    // authority::admitCa.
    void install(std::string_view chainPem, TimePoint now, bool clockTrusted);

    struct Signed {
        authority::SignedLeaf leaf;
        std::string issuerId;
    };
    Signed sign(const std::vector<Identifier>& names, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                TimePoint now, bool clockTrusted);
    Signed sign(const authority::EndEntityRequest& request,
                std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now, bool clockTrusted);
    // By the root itself, which is made where there is none.
    Signed signInspectionCa(std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now,
                            bool clockTrusted);

  private:
    template <class Request>
    Signed signWith(const Request& request, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                    TimePoint now, bool clockTrusted);
    void ensureLocked(TimePoint now, bool clockTrusted);
    AuthorityRecord make(const authority::AuthoritySettings& settings, AuthorityRole role,
                         const AuthorityRecord* root, TimePoint now);
    void store(const AuthorityRecord& record);
    void requireOwnKey(const hal::Bytes& publicKey);
    void takeForeign(const KeyId& key, std::string_view pem, TimePoint now, bool clockTrusted);
    void crossSignRoots(TimePoint now);
    struct UpperChain {
        std::string pem;
        TimePoint until = TimePoint::max();
    };
    UpperChain upperChainOf(const AuthorityRecord& issuing, TimePoint now);
    UpperChain crossChainOf(std::string root, TimePoint now);
    TimePoint replaceAt(const AuthorityRecord& record) const;
    bool usable(const std::optional<AuthorityRecord>& record, TimePoint now, bool clockTrusted) const;
    std::optional<AuthorityRecord> newestWithKey(AuthorityRole role);
    void load();
    void forget();

    KeyRing& keys_;
    Records& records_;
    const authority::AuthoritySettings& settings_;
    EventLog& log_;

    std::mutex mutex_;
    std::optional<AuthorityRecord> root_;
    std::optional<AuthorityRecord> issuing_;
    std::string crossSigned_;  // the root that was looked at
    std::shared_ptr<const authority::LeafSigner> signer_;
    TimePoint signerUntil_;  // when a cross certificate in its chains ends
};

}  // namespace certmgr::engine
