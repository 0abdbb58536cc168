// Brings what is in force to the services, and keeps on record how that went.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "certmgr/core/clock.h"
#include "certmgr/deploy/deployer.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Runs on a worker, for one service at a time.
class Deployments {
  public:
    Deployments(Records& records, KeyRing& keys, deploy::Deployer& deployer,
                const deploy::GenerationStore& generations, const Clock& clock, EventLog& log)
        : records_(records),
          keys_(keys),
          deployer_(deployer),
          generations_(generations),
          clock_(clock),
          log_(log) {}

    struct Result {
        std::set<CertificateId> touched;
        std::optional<TimePoint> tryAgain;  // absent: everything is proved
    };
    // Every certificate of the service whose generation in force is not the one that was proved last. With
    // `proveAgain` (at the start, when a service may have missed anything) the proved ones are looked at as
    // well.
    Result bring(const ServiceProfile& service, bool proveAgain);

    // Looks at what is served now; changes nothing. One line for each certificate.
    std::vector<std::string> check(const ServiceProfile& service);

  private:
    using Target = deploy::Deployer::Target;
    std::map<CertificateId, store::DeploymentRow> rowsOf(const ServiceProfile& service);
    Target target(const ServiceProfile& service, const Credential& credential,
                  const store::DeploymentRow& row);
    store::DeploymentRow concluded(store::DeploymentRow row, const deploy::Outcome& outcome) const;
    void conclude(const ServiceProfile& service, const store::DeploymentRow& row,
                  const deploy::Outcome& outcome);
    void retire(const CertificateId& id);

    Records& records_;
    KeyRing& keys_;
    deploy::Deployer& deployer_;
    const deploy::GenerationStore& generations_;
    const Clock& clock_;
    EventLog& log_;
};

}  // namespace certmgr::engine
