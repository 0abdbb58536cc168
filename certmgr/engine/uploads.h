// Chains that an administrator brought, and the certificates that they serve.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/core/decision.h"
#include "certmgr/engine/commands.h"
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
        bool known = false;                  // the same chain is there already, and nothing was changed
    };
    // All checks come before any change; each failed one is a line of the Error(rejected). Its code is that
    // of the check where there is one, else "upload-refused".
    // "cancelled" (transient): stopped while a pipe was still open.
    Taken take(UploadCommand command, const std::stop_token& stop);

    // Makes a credential of every upload that covers the certificate and is not one yet.
    void offer(const CertificateSpec& spec);

    // The best upload for the certificate, and why.
    UploadChoice best(const CertificateSpec& spec, TimePoint now);

    // With its key. Error(rejected): "upload-not-found", "in-use".
    void remove(std::int64_t id);

  private:
    void store(const EVP_PKEY& key, const std::string& chainPem, const CertificateSummary& leaf);
    std::vector<store::CertificateRow> coveredBy(const CertificateSummary& leaf);

    KeyRing& keys_;
    Records& records_;
    const Clock& clock_;
    EventLog& log_;
    std::mutex storing_;
};

}  // namespace certmgr::engine
