// The CAs on the net, as the bus asks for them.
#include "certmgr/engine/engine.h"

namespace certmgr::engine {

std::vector<AcmeAccount> Engine::accounts() {
    return acmeIssuer_.accounts();
}

std::string Engine::changeAccountKey(const std::string& ca) {
    return accountJob("rollover", [this, ca](const std::stop_token& stop) {
        return acmeIssuer_.changeAccountKey(ca, stop);
    });
}

std::string Engine::deactivateAccount(const std::string& ca) {
    return accountJob("deactivate", [this, ca](const std::stop_token& stop) {
        return acmeIssuer_.deactivateAccount(ca, stop);
    });
}

// Among the orders, which nobody waits for at the start: it asks a server elsewhere.
std::string Engine::accountJob(const std::string& kind,
                               std::function<std::string(const std::stop_token&)> work) {
    auto result = std::make_shared<std::string>();
    const std::string job = jobs_.begin(kind, "");
    whenStarted([this, kind, job, result, work = std::move(work)] {
        lanes_.run(
            "order: " + kind + " " + job, orderWorkers_,
            [work, result](const std::stop_token& stop) { *result = work(stop); },
            [this, job, result](const auto& failure) {
                failure ? jobs_.failed(job, *failure) : jobs_.done(job, *result);
            });
    });
    return job;
}

}  // namespace certmgr::engine
