#include "certmgr/deploy/deployment.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "certmgr/crypto/x509.h"

namespace certmgr::deploy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Each look costs a handshake. nginx lets its old processes accept for 100 ms after the new ones have started
// (ngx_master_process_cycle), and the kernel prefers the old ones: an earlier look would mostly see them.
constexpr milliseconds takeOver{110};
constexpr milliseconds shortestPause{25};
constexpr milliseconds longestPause{250};
constexpr milliseconds shortestLook{50};

// The leaf may have more names than the service answers to: an uploaded one may be a wildcard.
const std::vector<Identifier>& namesAskedFor(const ServiceProfile& service, const Credential& credential) {
    for (const CertificateSpec& spec : service.certificates)
        if (spec.id == credential.certificate) return spec.names;
    return credential.leaf.names;
}

}  // namespace

Deployment::Deployment(const GenerationStore& generations, hal::ServiceControl& control, Probe& probe,
                       const ServiceProfile& service, const std::vector<Deployer::Target>& targets,
                       std::stop_token stop)
    : generations_(generations), control_(control), probe_(probe), service_(service), stop_(std::move(stop)) {
    for (const Deployer::Target& target : targets) {
        const Credential& credential = target.item.credential;
        Step step;
        step.target = &target;
        if (hasProbe()) step.name = serverNameFor(namesAskedFor(service, credential));
        step.wanted = step.expected = crypto::chainSha256(credential.chainPem);
        step.activeBefore = generations.active(service.name, credential.certificate).value_or(0);
        step.outcome.certificate = credential.certificate;
        step.outcome.generation = credential.generation;
        step.outcome.current = step.activeBefore;
        steps_.push_back(std::move(step));
    }
}

// A new root changes a thousand certificates of a service at once, and each look is a handshake: where what
// is active is what was proved last, the one look at the first certificate tells whether the service answers.
void Deployment::lookBefore() {
    const auto until = deadline();
    for (Step& step : steps_) {
        if (&step != &steps_.front() && isAsProved(step)) {
            step.before = {steps_.front().before.connected, "not asked", {}};
            step.fallback = step.activeBefore;
        } else {
            lookBefore(step, until);
        }
    }
}

void Deployment::lookBefore(Step& step, steady_clock::time_point until) {
    if (hasProbe()) step.before = step.seen = look(step, step.wanted, until);
    step.fallback = fallbackOf(step);
    const bool served = hasProbe() && shortfall(step.before, step.wanted).empty();
    if (served && step.activeBefore == step.outcome.generation) settle(step, State::proved, whatIsSeen(step));
}

void Deployment::write() const {
    for (const Step& step : steps_) generations_.write(service_.name, step.target->item);
}

void Deployment::activate() {
    std::vector<Step*> touched;
    for (Step* step : open()) {
        touched.push_back(step);
        try {
            generations_.activate(service_.name, step->outcome.certificate, step->outcome.generation);
        } catch (Error& error) {
            undo(touched, error);
            throw;
        }
        step->outcome.current = step->outcome.generation;
    }
}

std::optional<Error> Deployment::reload() const {
    try {
        control_.reload(service_.handle);
        return std::nullopt;
    } catch (const Error& error) {
        return error;
    }
}

void Deployment::prove(const std::optional<Error>& refusal) {
    if (!hasProbe()) {
        if (refusal) return;
        for (Step* step : open())
            settle(
                *step, State::unproved,
                "the reload was reported done; the profile has no probe, so nobody has seen what is served");
        return;
    }
    if (refusal) {
        const auto until = deadline();
        for (Step* step : open()) step->seen = look(*step, step->expected, until);
        return;
    }
    lookUntilExpected(open());
    for (Step* step : open())
        if (shortfall(step->seen, step->wanted).empty()) settle(*step, State::proved, whatIsSeen(*step));
}

void Deployment::goBack(const std::optional<Error>& refusal) {
    std::vector<Step*> back;
    for (Step* step : open()) {
        const std::string why = explain(*step, refusal);
        if (mayWait(*step, refusal))
            settle(*step, State::waiting,
                   fmt::format("{}; generation {} lies ready for the start of the service", why,
                               step->outcome.generation));
        else if (putBack(*step, why))
            back.push_back(step);
    }
    if (back.empty()) return;
    // What certmgr-install brought is taken back by another run of it.
    const bool neverTold =
        refusal && refusal->code() == "check-failed" && service_.handle.installUnit.empty();
    const std::optional<Error> secondRefusal = neverTold ? std::nullopt : reload();
    if (hasProbe()) lookUntilExpected(back);
    for (Step* step : back) {
        std::string& reason = step->outcome.reason;
        if (secondRefusal)
            reason += fmt::format(
                "; the reload after that failed too ({}), so the service goes on with what it has loaded",
                secondRefusal->what());
        if (hasProbe()) reason += "; now " + whatIsSeen(*step);
    }
}

void Deployment::judge() {
    const auto until = deadline();
    for (Step& step : steps_) lookBefore(step, until);
    if (stop_.stop_requested()) return;
    for (Step* step : open()) {
        if (!hasProbe()) {
            settle(*step, State::unproved, "the profile has no probe, so nobody can see what is served");
        } else if (shortfall(step->seen, step->wanted).empty()) {
            settle(*step, State::proved, whatIsSeen(*step));
        } else if (!step->seen.connected) {
            settle(*step, State::waiting, whatIsSeen(*step));
        } else {
            settle(*step, anotherWasServed(*step) ? State::rolledBack : State::failed, whatIsSeen(*step));
        }
    }
}

bool Deployment::settled() const {
    return std::ranges::all_of(steps_, &Step::settled);
}

std::vector<Outcome> Deployment::outcomes() const {
    std::vector<Outcome> outcomes;
    for (const Step& step : steps_) outcomes.push_back(step.outcome);
    return outcomes;
}

std::vector<Deployment::Step*> Deployment::open() {
    std::vector<Step*> open;
    for (Step& step : steps_)
        if (!step.settled) open.push_back(&step);
    return open;
}

steady_clock::time_point Deployment::deadline() const {
    return steady_clock::now() + proofTimeout(service_);
}

// What the probe saw that `wanted` is furthest from: something else served, before nothing served, before all
// well.
Seen Deployment::look(const Step& step, const std::vector<std::string>& wanted,
                      steady_clock::time_point until) const {
    std::optional<Seen> worst;
    for (ProbeTarget target : service_.probes) {
        // A quarter: one worker that hangs must not eat the whole proof. At least `shortestLook`: each
        // certificate gets its turn even when the ones before it used up the time.
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        // A program that is cut short says nothing of the service: it has the whole time.
        if (target.kind != ProbeKind::command)
            target.timeout = std::max(std::min(left, target.timeout / 4), shortestLook);
        Seen seen = probe_.look(target, step.name, stop_);
        seen.where = describe(target);
        const bool falls = !shortfall(seen, wanted).empty();
        if (falls && seen.connected) return seen;
        if (falls || !worst) worst = std::move(seen);
    }
    return worst.value();
}

// A service takes over as a whole: while one name still shows the old certificate, the others are not asked.
void Deployment::lookUntilExpected(std::vector<Step*> steps) const {
    const auto until = deadline();
    // One that is told nothing reads the files for each connection.
    const hal::ServiceHandle& handle = service_.handle;
    const bool told = !handle.unit.empty() || !handle.reloadCommand.empty() || !handle.installUnit.empty();
    milliseconds pause = told ? takeOver : milliseconds(0);
    milliseconds next = shortestPause;
    const auto shows = [&](Step* step) {
        step->seen = look(*step, step->expected, until);
        return shortfall(step->seen, step->expected).empty();
    };
    do {
        std::this_thread::sleep_for(std::exchange(pause, next));
        next = std::min(next * 2, longestPause);
        steps.erase(steps.begin(), std::ranges::find_if_not(steps, shows));
    } while (!steps.empty() && !stop_.stop_requested() && steady_clock::now() + pause < until);
    if (!steps.empty()) std::for_each(std::next(steps.begin()), steps.end(), shows);
}

bool Deployment::isAsProved(const Step& step) const {
    const bool another = step.activeBefore != 0 && step.activeBefore != step.outcome.generation;
    return hasProbe() && another && step.activeBefore == step.target->lastGood &&
           !generations_.chainSha256(service_.name, step.outcome.certificate, step.activeBefore).empty();
}

bool Deployment::anotherWasServed(const Step& step) const {
    if (step.activeBefore == 0 || step.activeBefore == step.outcome.generation) return false;
    const auto chain = generations_.chainSha256(service_.name, step.outcome.certificate, step.activeBefore);
    return !chain.empty() && (!hasProbe() || shortfall(step.before, chain).empty());
}

std::int64_t Deployment::fallbackOf(const Step& step) const {
    if (anotherWasServed(step)) return step.activeBefore;
    const std::int64_t lastGood = step.target->lastGood;
    const bool usable = lastGood != step.outcome.generation &&
                        !generations_.chainSha256(service_.name, step.outcome.certificate, lastGood).empty();
    return usable ? lastGood : 0;
}

void Deployment::undo(const std::vector<Step*>& touched, Error& cause) const {
    for (const Step* step : touched) {
        if (step->activeBefore == 0) continue;
        try {
            generations_.activate(service_.name, step->outcome.certificate, step->activeBefore);
        } catch (const Error& error) {
            cause.within(fmt::format("generation {} of {} could not be put back ({})", step->activeBefore,
                                     step->outcome.certificate, error.what()));
        }
    }
}

// False: settled otherwise, and there is nothing more to do.
bool Deployment::putBack(Step& step, const std::string& why) const {
    if (step.fallback == 0) {
        settle(step, State::failed, why + "; no earlier generation was ever proved, so these files stay");
        return false;
    }
    try {
        generations_.activate(service_.name, step.outcome.certificate, step.fallback);
    } catch (const Error& error) {
        settle(step, State::failed,
               fmt::format("{}; generation {} could not be put back: {}", why, step.fallback, error.what()));
        return false;
    }
    step.expected = generations_.chainSha256(service_.name, step.outcome.certificate, step.fallback);
    step.outcome.current = step.fallback;
    settle(step, State::rolledBack, fmt::format("{}; generation {} is back", why, step.fallback));
    return true;
}

bool Deployment::mayWait(const Step& step, const std::optional<Error>& refusal) const {
    // The service's own check found fault with what lies there now: waiting could mean that it never starts.
    if (refusal && refusal->code() == "check-failed") return false;
    if (!hasProbe()) return refusal && refusal->code() == "service-inactive";
    return !step.before.connected && !step.seen.connected;
}

std::string Deployment::explain(const Step& step, const std::optional<Error>& refusal) const {
    const std::string seen = hasProbe() ? whatIsSeen(step) : std::string();
    if (!refusal) return seen;
    return std::string(refusal->what()) + (seen.empty() ? "" : "; " + seen);
}

std::string Deployment::whatIsSeen(const Step& step) const {
    const std::string missing = shortfall(step.seen, step.expected);
    const std::string what = missing.empty()
                                 ? fmt::format("the certificate {:.16} is served with its whole chain of {}",
                                               step.expected.front(), step.expected.size())
                                 : missing;
    return fmt::format("{} at {}: {}", step.name.value, step.seen.where, what);
}

void Deployment::settle(Step& step, State state, std::string reason) {
    step.settled = true;
    step.outcome.state = state;
    step.outcome.reason = std::move(reason);
}

}  // namespace certmgr::deploy
