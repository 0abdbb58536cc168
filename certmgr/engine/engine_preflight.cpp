// What a CA would find of a name, told to who asks by hand.
#include <algorithm>

#include "certmgr/engine/engine.h"

namespace certmgr::engine {
namespace {

constexpr std::size_t mostPreflights = 8;  // at once
constexpr std::chrono::milliseconds longestLookAtOneName{5000};

PreflightEntry acmeEntry(const Identifier& name, const std::string& why) {
    if (why.empty())
        return {name.value, "", {PreflightCheck::acme, PreflightVerdict::ok, "a CA is asked for it"}};
    return {name.value, "", {PreflightCheck::acme, PreflightVerdict::blocked, why}};
}

}  // namespace

store::CertificateRow Engine::certificateWith(const Identifier& name) {
    store::CertificateRow found;
    for (const store::CertificateRow& row : records_.certificates.list())
        if (row.wanted() && std::ranges::find(row.spec.names, name) != row.spec.names.end()) found = row;
    return found;
}

std::string Engine::whyNotAsked(const Identifier& name, const CertificateSpec& spec) {
    if (std::string why = whyNoCa(spec); !why.empty()) return why + ": see [acme] and the service's profile";
    const std::string why = settings_.publicNamesOnly ? whyNotPublic(name) : "";
    return why.empty() ? "" : why + "; a CA inside the company may: public_names_only = false in [acme]";
}

std::vector<PreflightEntry> Engine::preflightTurn(const std::vector<Identifier>& names,
                                                  const std::stop_token& stop) {
    using SteadyClock = std::chrono::steady_clock;
    const SteadyClock::time_point end = SteadyClock::now() + longestPreflight;
    std::vector<PreflightEntry> entries;
    for (const Identifier& name : names) {
        if (stop.stop_requested()) throw Error(ErrorKind::transient, "cancelled", "certmgrd stops");
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now());
        if (left.count() <= 0)
            throw Error(ErrorKind::transient, "resolver-slow",
                        "the resolver was still answering after " + std::to_string(longestPreflight.count()) +
                            " s, at " + name.value + ": ask for fewer names at once");
        const store::CertificateRow row = certificateWith(name);
        entries.push_back(acmeEntry(name, whyNotAsked(name, row.spec)));
        std::ranges::move(
            acmeIssuer_.lookAhead(name, row.provedBy, std::min(left, longestLookAtOneName), stop),
            std::back_inserter(entries));
    }
    return entries;
}

// Among the orders, which nobody waits for at the start.
template <class Answer>
void Engine::lookFor(std::function<void(Answer&, const std::stop_token&)> look,
                     std::function<void(const Answer&)> reply) {
    if (stopping_ || preflightsRunning_ == mostPreflights)
        throw Error(ErrorKind::transient, "busy", "too many are looking at names; ask again in a moment");
    ++preflightsRunning_;
    auto found = std::make_shared<Answer>();
    lanes_.run(
        "order: preflight " + std::to_string(++preflights_), preflightWorkers_,
        [look = std::move(look), found](const std::stop_token& stop) { look(*found, stop); },
        [this, found, reply = std::move(reply)](const auto& failure) {
            --preflightsRunning_;
            found->failure = failure;
            reply(*found);
        });
}

void Engine::preflight(const std::vector<std::string>& texts, PreflightReply reply) {
    const std::vector<Identifier> names = parseIdentifiers(texts);
    lookFor<Preflight>(
        [this, names](Preflight& found, const std::stop_token& stop) {
            found.entries = preflightTurn(names, stop);
        },
        std::move(reply));
}

void Engine::persistRecords(const PersistRecordCommand& command, PersistRecordsReply reply) {
    const Identifier name = parseIdentifier(command.name);
    if (const std::string why = whyNotProvenBy(ChallengeKind::dnsPersist01, name); !why.empty())
        reject("bad-name", name.value + ": dns-persist-01 " + why);
    if (command.until && *command.until <= parts_.clock.now())
        reject("bad-time", "a record that ends " + formatTime(*command.until) +
                               " has ended already: expected a time to come");
    PersistWish wish{name, command.ca, command.until};
    if (command.wildcard && !name.wildcard()) wish.name.value.insert(0, "*.");
    lookFor<PersistRecords>(
        [this, wish](PersistRecords& found, const std::stop_token& stop) {
            found.entries = persistProofs_.wanted(wish, longestPreflight, stop);
        },
        std::move(reply));
}

}  // namespace certmgr::engine
