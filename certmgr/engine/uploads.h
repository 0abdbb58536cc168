// Chains that an administrator brought, and the certificates that they serve.
#pragma once

#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Runs on a worker.
class Uploads {
  public:
    Uploads(KeyRing& keys, Records& records, const Clock& clock, EventLog& log)
        : keys_(keys), records_(records), clock_(clock), log_(log) {}

    struct Taken {
        CertificateSummary leaf;
        std::vector<CertificateId> covered;  // the certificates that it can serve
    };
    // `content`: file, pipe or memfd, at most 256 KiB. All checks come before any change; each failed one is
    // a line of the Error(rejected, "upload-refused"). "cancelled": stopped while its pipe was still open.
    Taken take(hal::UniqueFd content, bool dryRun, const std::stop_token& stop);

    // Makes a credential of every upload that covers the certificate and is not one yet.
    void offer(const CertificateSpec& spec);

    // The best upload for the certificate that is valid at `now`.
    std::optional<Credential> best(const CertificateId& id, TimePoint now);

  private:
    void store(const std::string& pem, const std::string& chainPem, const CertificateSummary& leaf);
    std::vector<store::CertificateRow> coveredBy(const CertificateSummary& leaf);

    KeyRing& keys_;
    Records& records_;
    const Clock& clock_;
    EventLog& log_;
    std::mutex storing_;
};

}  // namespace certmgr::engine
