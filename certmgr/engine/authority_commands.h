// What the bus may ask of the box's own CA. Called on the main thread; nothing here blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certmgr/core/issued_certificate.h"
#include "certmgr/engine/system_trust.h"
#include "hal/handle.h"

namespace certmgr::engine {

// Whom a certificate is for. Empty: as in the request, or the default.
struct EndEntityCommand {
    std::string purpose = "client";  // or "server"
    std::string commonName;
    std::vector<std::string> names;  // "email:anna@example.org", see parseAlternativeName()
    std::uint32_t days = 0;          // 0: a year
};

struct BundleCommand {
    EndEntityCommand holder;
    std::string keyAlgorithm;       // empty: the settings' default
    std::string format = "pkcs12";  // or "pem"
};

// Implementations: Engine and the bus tests' fake. As in Commands: what is wrong with a command is thrown at
// once, what it starts is followed by the job whose id it returns. Descriptors that are read are files, pipes
// or memfds with at most 256 KiB; those that are written to are files, pipes or memfds too.
class AuthorityCommands {
  public:
    virtual ~AuthorityCommands() = default;

    // A PKCS#10 request in; the certificate with its chain, PEM, into `output`. The result is the serial.
    virtual std::string signRequest(const EndEntityCommand& holder, hal::UniqueFd request,
                                    hal::UniqueFd output) = 0;
    // The key is made here, delivered into `output` with certificate and chain, and not kept.
    virtual std::string issueBundle(const BundleCommand& command, hal::UniqueFd passphrase,
                                    hal::UniqueFd output) = 0;
    virtual std::string revoke(const std::string& serial, const std::string& reason) = 0;
    // Those with a number above `after`, the lowest first; reads the database, at most a thousand rows.
    virtual std::vector<IssuedCertificate> issued(std::int64_t after) = 0;

    virtual std::string generateAuthority(const std::string& subject, std::uint32_t days) = 0;
    virtual std::string importAuthority(hal::UniqueFd content) = 0;
    virtual std::string requestAuthority(hal::UniqueFd output) = 0;
    virtual std::string installAuthority(hal::UniqueFd chain) = 0;
    virtual std::string reissueAuthority() = 0;

    virtual std::string trustPem() = 0;  // all roots that are trusted now
    virtual std::string crlPem() = 0;    // the revocation lists of all its CAs

    // The trust anchors of the box, read anew by a worker; `reply` is called later, on the main thread.
    // Throws Error(transient, "busy") where too many wait already.
    virtual void systemTrust(SystemTrustReply reply) = 0;

    // The box trusts the roots of its own CA, those to come too, or does not any more. A job, as above.
    virtual std::string trustOwnRoots(bool trusted) = 0;
};

}  // namespace certmgr::engine
