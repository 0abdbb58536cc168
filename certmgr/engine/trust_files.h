// What services and clients read of the box's own CA: revocation lists, and the bundles of its certificates.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "certmgr/core/clock.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Below `directory`, each file replaced whole and durably, and only when its content is another one:
//   trust.pem      the roots that are trusted now, the newest first: what clients need
//   client-ca.pem  those and the CAs below them: what a service that checks clients needs
//   crl.pem        the lists of all these CAs; crl.der: that of the issuing CA in force
// Thread-safe; publish() is for workers.
class TrustFiles {
  public:
    static constexpr seconds crlLifetime = std::chrono::hours(24 * 7);

    TrustFiles(KeyRing& keys, Records& records, const Clock& clock, std::filesystem::path directory,
               EventLog& log)
        : keys_(keys), records_(records), clock_(clock), directory_(std::move(directory)), log_(log) {}

    struct Published {
        std::string sha256;  // of what a service that checks clients reads: client-ca.pem and crl.pem
        TimePoint due;       // half-way to the first nextUpdate; in an hour where that has passed
    };
    // Makes the lists that are half-way to their nextUpdate or lack a revocation, then the files. A CA that
    // cannot sign keeps its last list and holds up no other. On a clock that is not trusted only a revocation
    // makes a new list.
    Published publish();

    std::string trustPem();
    std::string crlPem();

  private:
    std::vector<AuthorityRecord> living();
    std::optional<store::CrlRow> latestOf(const AuthorityRecord& authority);
    store::CrlRow listOf(const AuthorityRecord& authority);

    KeyRing& keys_;
    Records& records_;
    const Clock& clock_;
    const std::filesystem::path directory_;
    EventLog& log_;
    std::mutex publishing_;
};

}  // namespace certmgr::engine
