// What an issuer has to do with records of dns-persist-01: which ones are wanted, and whether they stay.
#include <algorithm>

#include "certmgr/engine/issuance.h"

namespace certmgr::engine {
namespace {

constexpr std::chrono::hours lookAfterSilence{1};

std::string lastsUntil(const PersistRecord& record) {
    return record.until ? "until " + formatTime(*record.until) : "without an end";
}

bool isAmong(const std::string& name, const std::vector<Identifier>& names) {
    return std::ranges::find(names, name, &Identifier::value) != names.end();
}

}  // namespace

// A record names the CA by the first of its names; where none is known its directory tells.
PersistRecordEntry AcmeIssuer::persistRecord(const PersistWish& wish, const acme::CaSettings& ca,
                                             const std::stop_token& stop) {
    PersistRecordEntry entry{ca.name, ca.forTests, accounts_.view(ca).url, persistOwner(wish.name)};
    if (entry.account.empty()) {
        entry.sentence = "there is no account yet; the first order there makes one, whatever comes of it";
        return entry;
    }
    try {
        const acme::Asking asking{entry.account, readCaaIdentities(ca, stop)};
        if (asking.issuers.empty()) {
            entry.sentence = "its directory does not say how a record may name the CA (caaIdentities)";
            return entry;
        }
        const PersistRecord record{asking.issuers.front(), entry.account, wish.name.wildcard(), wish.until};
        entry.record = persistText(record);
        entry.line = persistZoneLine(wish.name, record);
        const PersistAnswer answer = persistLookup_.look(wish.name, asking);
        entry.there = answer.record.has_value();
        entry.sentence = entry.there ? "one that fits is there, " + lastsUntil(*answer.record)
                                     : "no TXT record that fits is there: " + answer.why;
    } catch (const Error& error) {  // what is to be put there may be known all the same
        entry.sentence = (entry.line.empty() ? "the CA cannot be asked for its names: "
                                             : "what is there cannot be told: ") +
                         std::string(error.what());
    }
    return entry;
}

std::vector<PersistRecordEntry> AcmeIssuer::persistRecords(const PersistWish& wish, seconds limit,
                                                           const std::stop_token& stop) {
    using SteadyClock = std::chrono::steady_clock;
    const SteadyClock::time_point end = SteadyClock::now() + limit / 2;  // the last look takes its time too
    const std::shared_lock lock(accountsInUse_);
    std::vector<acme::CaSettings> cas = settings_.cas;
    std::ranges::copy_if(settings_.trialCas, std::back_inserter(cas), [&](const acme::CaSettings& trial) {
        return trial.name == wish.ca || !accounts_.view(trial).url.empty();
    });
    if (!wish.ca.empty()) std::erase_if(cas, [&](const acme::CaSettings& ca) { return ca.name != wish.ca; });
    if (!wish.ca.empty() && cas.empty()) caNamed(wish.ca);  // throws
    std::vector<PersistRecordEntry> entries;
    for (const acme::CaSettings& ca : cas) {
        if (SteadyClock::now() > end)
            throw Error(ErrorKind::transient, "resolver-slow",
                        "the name servers of " + wish.name.value +
                            " take long to answer; try again, or with one CA at a time");
        entries.push_back(persistRecord(wish, ca, stop));
    }
    return entries;
}

bool AcmeIssuer::provesByRecords() const {
    return std::ranges::any_of(
        solvers_, [](const acme::Solver& solver) { return solver.kind() == ChallengeKind::dnsPersist01; });
}

// Where nobody answers it is as it was, and nobody is asked for the others: each would take its time too.
void AcmeIssuer::lookAtPersistRecords(const CertificateId& id, const std::stop_token& stop) {
    const std::optional<store::CertificateRow> certificate = records_.certificates.find(id);
    bool silent = false;
    for (store::PersistRow& row : records_.persist.list(id)) {
        const auto ca = std::ranges::find(settings_.cas, row.ca, &acme::CaSettings::name);
        if (ca == settings_.cas.end() || !certificate || !isAmong(row.name, certificate->spec.names)) {
            records_.persist.forget(id, row.name);
            continue;
        }
        if (stop.stop_requested()) throw Error(ErrorKind::transient, "cancelled", "certmgrd stops");
        const TimePoint due = row.nextLook;
        silent = silent || !look(row, *ca);
        row.nextLook = clock_.now() + (silent ? lookAfterSilence : persistLookAgain);
        records_.persist.seen(row, due);
    }
}

bool AcmeIssuer::look(store::PersistRow& row, const acme::CaSettings& ca) {
    try {
        const PersistAnswer answer =
            persistLookup_.look(parseIdentifier(row.name), {accounts_.view(ca).url, caaIdentities(ca)});
        row.until = answer.record ? answer.record->until : std::nullopt;
        row.complaint = answer.why;
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace certmgr::engine
