#include "certmgr/acme/solvers/dns_persist_lookup.h"

#include "certmgr/core/error.h"
#include "certmgr/net/name_lookup.h"

namespace certmgr::acme {
namespace {

constexpr int mostSilent = 2;  // servers that are waited for in vain
constexpr std::chrono::milliseconds longestSilence{2000};

// Absent: it gives no answer, and a CA would ask another one.
std::optional<PersistAnswer> answerOf(const net::DnsServer& server, const std::string& owner,
                                      const PersistQuestion& question) {
    using Type = net::NameLookup::Question::Type;
    const net::Lookup found = net::NameLookup(server).ask({{Type::txt, owner}}, longestSilence).front();
    if (found.outcome != net::LookupOutcome::answered) return std::nullopt;
    return judgePersist(found.values, question);
}

// Asks one server after the other; `use` says whether to go on after an answer.
template <class Use>
void ask(const ZoneServers& servers, const std::string& owner, const PersistQuestion& question, Use use) {
    int silent = 0;
    for (const ZoneServers::Server& server : servers.of(owner)) {
        if (!server.server) continue;
        std::optional<PersistAnswer> answer = answerOf(*server.server, owner, question);
        if (answer ? !use(server, *std::move(answer)) : ++silent == mostSilent) return;
    }
}

}  // namespace

PersistQuestion DnsPersistLookup::questionOf(const Identifier& name, const Asking& ca) const {
    PersistQuestion question{ca.issuers, ca.account, name.wildcard(), std::nullopt};
    if (clock_.trust().trusted) question.now = clock_.now();
    return question;
}

// Of several servers the one that knows most of it is heard.
PersistAnswer DnsPersistLookup::look(const Identifier& name, const Asking& ca) const {
    const PersistQuestion question = questionOf(name, ca);
    std::string owner = persistOwner(name);
    std::optional<PersistAnswer> best;
    try {
        owner = servers_.target(owner);
        ask(servers_, owner, question, [&](const ZoneServers::Server&, PersistAnswer answer) {
            if (!best || answer.record || (answer.named && !best->named)) best = std::move(answer);
            return !best->record;
        });
    } catch (const Error& error) {  // who knows the zone is away; the resolver follows aliases by itself
        if (error.kind() != ErrorKind::transient) throw;
    }
    if (!best) best = answerOf(servers_.resolver(), owner, question);
    if (!best)
        throw Error(ErrorKind::transient, "dns-unreachable",
                    "no name server tells whether there is a TXT record at " + owner);
    return *best;
}

std::string DnsPersistLookup::withoutRecord(const Identifier& name, const Asking& ca) const {
    std::string list;
    ask(servers_, servers_.target(persistOwner(name)), questionOf(name, ca),
        [&](const ZoneServers::Server& server, const PersistAnswer& answer) {
            if (!answer.record) list += (list.empty() ? "" : ", ") + server.name;
            return true;
        });
    return list;
}

}  // namespace certmgr::acme
