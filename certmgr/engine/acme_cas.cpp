#include "certmgr/engine/acme_cas.h"

#include <algorithm>

#include "certmgr/acme/account.h"
#include "certmgr/acme/preflight.h"

namespace certmgr::engine {

AcmeCas::AcmeCas(KeyRing& keys, Records& records, const Clock& clock, HttpFactory http, AcmeSettings settings,
                 EventLog& log)
    : keys_(keys),
      records_(records),
      accounts_(keys, records, clock, log),
      budget_(records, clock),
      http_(std::move(http)),
      settings_(std::move(settings)) {}

const acme::CaSettings& AcmeCas::named(const std::string& name) const {
    for (const auto* const cas : {&settings_.cas, &settings_.trialCas})
        if (const auto ca = std::ranges::find(*cas, name, &acme::CaSettings::name); ca != cas->end())
            return *ca;
    throw Error(ErrorKind::rejected, "no-such-ca",
                "there is no CA \"" + name + "\" in the settings; see certmgrctl acme list");
}

std::vector<AcmeAccount> AcmeCas::accounts() {
    std::vector<AcmeAccount> accounts;
    for (const acme::CaSettings& ca : settings_.cas) accounts.push_back(accounts_.view(ca));
    for (const acme::CaSettings& ca : settings_.trialCas) accounts.push_back(accounts_.view(ca));
    return accounts;
}

std::unique_lock<std::shared_timed_mutex> AcmeCas::alone(const std::stop_token& stop) {
    std::unique_lock lock(inUse_, std::defer_lock);
    while (!lock.try_lock_for(std::chrono::milliseconds(100)))
        if (stop.stop_requested())
            throw Error(ErrorKind::transient, "cancelled", "orders were under way until the end");
    return lock;
}

// A crash, or a lost answer, leaves it open which of the two keys the account has: the CA knows.
void AcmeCas::settleKey(const acme::CaSettings& ca, const std::stop_token& stop) {
    const std::optional<store::AccountRow> row = accounts_.unsettled(ca);
    if (!row) return;
    const KeyId next = *row->nextKey;
    if (!keys_.store().find(next)) return accounts_.settleKey(ca, row->key);  // never made, so never sent
    const std::unique_ptr<net::HttpClient> http = http_(ca);
    acme::Session session(ca, {next, std::nullopt, {}}, keys_.store().open(next), *http);
    accounts_.settleKey(ca, acme::hasAccount(session, stop) ? next : row->key);
}

std::shared_ptr<acme::Session> AcmeCas::sessionTo(const acme::CaSettings& ca, const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Line>& line = lines_[{ca.name, ca.directory}];
    if (!line || !keys_.store().find(line->accountKey)) {
        settleKey(ca, stop);
        line = newLine(ca);
    }
    return {line, line->session.get()};
}

std::shared_ptr<AcmeCas::Line> AcmeCas::newLine(const acme::CaSettings& ca) {
    acme::AccountSettings account = accounts_.open(ca);
    account.registered = [this, ca, record = account.registered](const acme::Registration& registration) {
        records_.database.transaction([&] {
            const auto row = records_.accounts.find(ca.name, ca.directory);
            if (!row || row->url != registration.url) budget_.accountMade(ca);
            record(registration);
        });
    };
    auto line = std::make_shared<Line>();
    line->accountKey = account.key;
    line->http = http_(ca);
    line->session = std::make_unique<acme::Session>(ca, std::move(account),
                                                    keys_.store().open(line->accountKey), *line->http);
    return line;
}

void AcmeCas::hangUp(const acme::CaSettings& ca) {
    const std::lock_guard lock(mutex_);
    lines_.erase({ca.name, ca.directory});
}

std::string AcmeCas::changeAccountKey(const std::string& name, const std::stop_token& stop) {
    const acme::CaSettings& ca = named(name);
    const auto lock = alone(stop);  // it may have been given up meanwhile
    const std::string url = accounts_.existing(ca).url;
    const std::shared_ptr<acme::Session> session = sessionTo(ca, stop);
    const KeyId next = accounts_.makeNextKey(ca);
    hangUp(ca);  // whatever comes now, the next use settles which key it is
    acme::changeKey(*session, *keys_.store().open(next), stop);
    accounts_.settleKey(ca, next);
    return "the account " + url + " at " + ca.name + " has another key; the one before is destroyed";
}

std::string AcmeCas::deactivateAccount(const std::string& name, const std::stop_token& stop) {
    const acme::CaSettings& ca = named(name);
    const auto lock = alone(stop);  // it may have been given up meanwhile
    const std::string url = accounts_.existing(ca).url;
    acme::deactivate(*sessionTo(ca, stop), stop);
    hangUp(ca);
    accounts_.forget(ca);
    budget_.liftAll(ca);
    return "the account " + url + " at " + ca.name +
           " is deactivated; certificates in use stay, and the next order there makes another account";
}

// Who waits for a CA elsewhere may hold the lock for long; then what the settings say has to do.
std::vector<std::string> AcmeCas::caaIdentities(const acme::CaSettings& ca) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return ca.caaIdentities;
    const auto line = lines_.find({ca.name, ca.directory});
    return line != lines_.end() && line->second ? acme::caaIdentitiesOf(*line->second->session)
                                                : ca.caaIdentities;
}

std::vector<std::string> AcmeCas::readCaaIdentities(const acme::CaSettings& ca, const std::stop_token& stop) {
    std::vector<std::string> known = caaIdentities(ca);
    return known.empty() ? acme::readCaaIdentities(*sessionTo(ca, stop), stop) : known;
}

}  // namespace certmgr::engine
