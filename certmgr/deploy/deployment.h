// One deployment of one service from its beginning to its end. Deployer is the contract; this is how.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/core/error.h"
#include "certmgr/deploy/deployer.h"

namespace certmgr::deploy {

class Deployment {
  public:
    Deployment(const GenerationStore& generations, hal::ServiceControl& control, Probe& probe,
               const ServiceProfile& service, const std::vector<Deployer::Target>& targets,
               std::stop_token stop);

    // In this order.
    void lookBefore();
    void write() const;
    void activate();
    std::optional<Error> reload() const;  // why it failed
    void prove(const std::optional<Error>& refusal);
    void goBack(const std::optional<Error>& refusal);

    void judge();  // instead of all these: what check() says
    bool settled() const;
    std::vector<Outcome> outcomes() const;

  private:
    struct Step {
        const Deployer::Target* target = nullptr;
        Identifier name;
        std::vector<std::string> wanted;    // fingerprints of the chain to be deployed
        std::vector<std::string> expected;  // of what is active now
        std::int64_t activeBefore = 0;      // 0: none
        std::int64_t fallback = 0;          // 0: none
        Seen before;
        Seen seen;
        bool settled = false;
        Outcome outcome;
    };

    void lookBefore(Step& step, std::chrono::steady_clock::time_point deadline);
    std::vector<Step*> open();
    std::chrono::steady_clock::time_point deadline() const;
    bool hasProbe() const { return !service_.probes.empty(); }
    Seen look(const Step& step, const std::vector<std::string>& wanted,
              std::chrono::steady_clock::time_point deadline) const;
    void lookUntilExpected(std::vector<Step*> steps) const;
    bool isAsProved(const Step& step) const;
    bool anotherWasServed(const Step& step) const;  // before, and without a probe: may have been
    std::int64_t fallbackOf(const Step& step) const;
    void undo(const std::vector<Step*>& touched, Error& cause) const;
    bool putBack(Step& step, const std::string& why) const;
    bool mayWait(const Step& step, const std::optional<Error>& refusal) const;
    std::string explain(const Step& step, const std::optional<Error>& refusal) const;
    std::string whatIsSeen(const Step& step) const;
    static void settle(Step& step, State state, std::string reason);

    const GenerationStore& generations_;
    hal::ServiceControl& control_;
    Probe& probe_;
    const ServiceProfile& service_;
    const std::stop_token stop_;
    std::vector<Step> steps_;
};

}  // namespace certmgr::deploy
