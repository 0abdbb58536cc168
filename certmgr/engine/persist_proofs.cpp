#include "certmgr/engine/persist_proofs.h"

#include <algorithm>

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
PersistRecordEntry PersistProofs::wantedAt(const acme::CaSettings& ca, const PersistWish& wish,
                                           const std::stop_token& stop) {
    PersistRecordEntry entry{ca.name, ca.forTests, cas_.accountUrl(ca), persistOwner(wish.name)};
    if (entry.account.empty()) {
        entry.sentence = "there is no account yet; the first order there makes one, whatever comes of it";
        return entry;
    }
    try {
        const acme::Asking asking{entry.account, cas_.readCaaIdentities(ca, stop)};
        if (asking.issuers.empty()) {
            entry.sentence = "its directory does not say how a record may name the CA (caaIdentities)";
            return entry;
        }
        const PersistRecord record{asking.issuers.front(), entry.account, wish.name.wildcard(), wish.until};
        entry.record = persistText(record);
        entry.line = persistZoneLine(wish.name, record);
        const PersistAnswer answer = lookup_.look(wish.name, asking);
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

std::vector<PersistRecordEntry> PersistProofs::wanted(const PersistWish& wish, seconds limit,
                                                      const std::stop_token& stop) {
    using SteadyClock = std::chrono::steady_clock;
    const SteadyClock::time_point end = SteadyClock::now() + limit / 2;  // the last look takes its time too
    const AcmeCas::InUse use = cas_.use();
    const AcmeSettings& settings = cas_.settings();
    std::vector<acme::CaSettings> cas = settings.cas;
    std::ranges::copy_if(settings.trialCas, std::back_inserter(cas), [&](const acme::CaSettings& trial) {
        return trial.name == wish.ca || !cas_.accountUrl(trial).empty();
    });
    if (!wish.ca.empty()) std::erase_if(cas, [&](const acme::CaSettings& ca) { return ca.name != wish.ca; });
    if (!wish.ca.empty() && cas.empty()) cas_.named(wish.ca);  // throws
    std::vector<PersistRecordEntry> entries;
    for (const acme::CaSettings& ca : cas) {
        if (SteadyClock::now() > end)
            throw Error(ErrorKind::transient, "resolver-slow",
                        "the name servers of " + wish.name.value +
                            " take long to answer; try again, or with one CA at a time");
        entries.push_back(wantedAt(ca, wish, stop));
    }
    return entries;
}

// Where nobody answers it is as it was, and nobody is asked for the others: each would take its time too.
void PersistProofs::lookAgain(const CertificateId& id, const std::stop_token& stop) {
    const std::vector<acme::CaSettings>& cas = cas_.settings().cas;
    const std::optional<store::CertificateRow> certificate = records_.certificates.find(id);
    bool silent = false;
    for (store::PersistRow& row : records_.persist.list(id)) {
        const auto ca = std::ranges::find(cas, row.ca, &acme::CaSettings::name);
        if (ca == cas.end() || !certificate || !isAmong(row.name, certificate->spec.names)) {
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

bool PersistProofs::look(store::PersistRow& row, const acme::CaSettings& ca) {
    try {
        const PersistAnswer answer =
            lookup_.look(parseIdentifier(row.name), {cas_.accountUrl(ca), cas_.caaIdentities(ca)});
        row.until = answer.record ? answer.record->until : std::nullopt;
        row.complaint = answer.why;
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace certmgr::engine
