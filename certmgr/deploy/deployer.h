// Brings generations to a service and proves them: write, swap, reload, handshake; or the last good one comes
// back.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/service_profile.h"
#include "certmgr/deploy/generation_store.h"
#include "certmgr/deploy/probe.h"
#include "hal/service_control.h"

namespace certmgr::deploy {

enum class State {
    proved,    // a handshake showed this leaf with its whole chain
    unproved,  // the profile has no probe: the files are active and the reload was reported done, but nobody
               // looked. Neither an alarm, since nothing is known to be wrong, nor a proof, since nothing is
               // known to be right
    rolledBack,  // it was not served; the generation before is back, and what is served now is in `reason`
    waiting,  // the service does not run (before and after): the files lie ready, to be proved at its start
    failed,   // it was not served and there is none to go back to; the files stay, so that the service can
              // start at all
};
std::string_view toString(State state) noexcept;  // "proved", "unproved", "rolled-back", "waiting", "failed"

struct Outcome {
    CertificateId certificate;
    std::int64_t generation = 0;  // the one that was to be deployed
    std::int64_t current = 0;     // the one that the symlink points at now; 0: there is none
    State state = State::waiting;
    std::string reason;  // a sentence; with `proved`: what was seen
};

// Threads: deploy() may run for different services at once, never twice for the same service. Blocks for at
// most two reloads and two proofs.
class Deployer {
  public:
    Deployer(const GenerationStore& generations, hal::ServiceControl& control, Probe& probe);

    struct Target {
        Item item;
        std::int64_t lastGood = 0;  // the generation that was proved last; 0 where none ever was
    };

    // All items of one service with one reload; none where all are active and served already. Items fail and
    // roll back one by one where the service serves the others; a reload that fails takes all of them back.
    // An item goes back to the generation that was active and seen served before, else to `lastGood`. Where
    // the reload was refused by the check command the service was never told, and is not told again.
    //
    // The proof asks for one name of each certificate, see serverNameFor(), and repeats until target.timeout
    // is over: workers of before the reload may answer for a while.
    //
    // Throws only for what is wrong on our side (disk, rights): then nothing was activated, or what was is
    // back, but for certificates that had nothing active before: their new files stay.
    //
    // A stop ends it soon, by Error "cancelled". A reload is awaited all the same; after one that was refused
    // the generations before are put back, after one that was not the new ones stay, unproved. The same call
    // goes on from there.
    std::vector<Outcome> deploy(const ServiceProfile& service, const std::vector<Target>& targets,
                                const std::stop_token& stop = {});

    // Looks at what is served now, once and without changing anything. proved: the target is served;
    // rolledBack: another generation is active and served; waiting: nothing answers; failed: something else
    // is served.
    std::vector<Outcome> check(const ServiceProfile& service, const std::vector<Target>& targets,
                               const std::stop_token& stop = {});

  private:
    const GenerationStore& generations_;
    hal::ServiceControl& control_;
    Probe& probe_;
};

}  // namespace certmgr::deploy
