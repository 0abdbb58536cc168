// Brings what is in force to the services, and keeps on record how that went.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
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
    // well. One that would reload a service with a window waits for that, see mayBringAt(). Error
    // "cancelled": nothing of this try is on record, and the next start makes it again.
    Result bring(const ServiceProfile& service, bool proveAgain, const std::stop_token& stop);

    // Removes the files and the record of what none of these services asks for any more. Only while nothing
    // else runs.
    void clearAwayOthers(const std::vector<ServiceProfile>& services);

    // Whether each certificate of each service has come to it once: until then it goes on, or goes back, to
    // what lay on the disk before a restore.
    bool allArrived(const std::vector<ServiceProfile>& services);

    struct Checked {
        std::string lines;  // one for each certificate
        bool good = true;   // all are served as they should be, as far as anyone can see
    };
    // Looks at what is served now; changes nothing.
    Checked check(const ServiceProfile& service, const std::stop_token& stop);

  private:
    using Target = deploy::Deployer::Target;
    std::map<CertificateId, store::DeploymentRow> rowsOf(const ServiceProfile& service);
    TimePoint mayBegin(const ServiceProfile& service, const store::DeploymentRow& row,
                       std::int64_t generation, TimePoint now);
    bool worseThanServed(const ServiceProfile& service, const Credential& credential, TimePoint now) const;
    void waitForWindow(store::DeploymentRow& row, std::int64_t generation, TimePoint opening, Result& result);
    // Absent: its key is no longer in the key store.
    std::optional<Target> target(const ServiceProfile& service, const Credential& credential,
                                 const store::DeploymentRow& row);
    void keyIsLost(const ServiceProfile& service, const Credential& credential,
                   const store::DeploymentRow& row);
    store::DeploymentRow concluded(store::DeploymentRow row, const deploy::Outcome& outcome) const;
    void conclude(const ServiceProfile& service, const store::DeploymentRow& row,
                  const deploy::Outcome& outcome);

    Records& records_;
    KeyRing& keys_;
    deploy::Deployer& deployer_;
    const deploy::GenerationStore& generations_;
    const Clock& clock_;
    EventLog& log_;
};

}  // namespace certmgr::engine
