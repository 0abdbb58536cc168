// The box's own CA in operation: made at the first start, renewed in time, and always ready to sign.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certmgr/authority/authority.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Thread-safe; one caller makes an authority, the others wait for it.
class LocalCa {
  public:
    LocalCa(KeyRing& keys, Records& records, const authority::AuthoritySettings& settings, EventLog& log)
        : keys_(keys), records_(records), settings_(settings), log_(log) {}

    // Makes a root and an issuing CA where there is none that still lives long enough for a new leaf, or that
    // was made by a clock that stood in the future, or whose key the key store has lost. Only on a trusted
    // clock are dates judged. Returns the id of the issuing CA in force.
    std::string ensure(TimePoint now, bool clockTrusted);

    // The issuing CA in force; empty before the first ensure(). Makes nothing.
    std::string issuingId();

    // When ensure() has something to do next.
    TimePoint dueAt();

    struct Signed {
        authority::SignedLeaf leaf;
        std::string issuerId;
    };
    Signed sign(const std::vector<Identifier>& names, std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                TimePoint now, bool clockTrusted);

  private:
    AuthorityRecord make(AuthorityRole role, const AuthorityRecord* root, TimePoint now);
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
    std::shared_ptr<const authority::LeafSigner> signer_;
};

}  // namespace certmgr::engine
