#include "certmgr/core/preflight.h"

#include <algorithm>
#include <functional>

#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<PreflightCheck, 5> preflightChecks{{{PreflightCheck::acme, "acme"},
                                                         {PreflightCheck::challenge, "challenge"},
                                                         {PreflightCheck::address, "address"},
                                                         {PreflightCheck::port, "port"},
                                                         {PreflightCheck::caa, "caa"}}};
constexpr hal::Words<PreflightVerdict, 3> preflightVerdicts{{{PreflightVerdict::ok, "ok"},
                                                             {PreflightVerdict::blocked, "blocked"},
                                                             {PreflightVerdict::uncertain, "uncertain"}}};

bool isIp6(const std::string& address) {
    return address.find(':') != std::string::npos;
}

bool isSpecial(const std::string& address) {
    return !whyNotPublic({Identifier::Type::ip, address}).empty();
}

using AddressPredicate = std::function<bool(const JudgedAddress&)>;

std::string listOf(const std::vector<JudgedAddress>& addresses, const AddressPredicate& wanted) {
    std::string list;
    for (const JudgedAddress& each : addresses)
        if (wanted(each)) list += (list.empty() ? "" : ", ") + each.address;
    return list;
}

const char* const addressAdvice =
    ": correct the name or its records, or name the address in [acme] public_addresses where a NAT or a "
    "proxy brings "
    "from there to this box";

PreflightFinding addressFinding(PreflightVerdict verdict, std::string words) {
    return {PreflightCheck::address, verdict, std::move(words)};
}

PreflightFinding judgeElsewhere(const Identifier& name, const std::string& elsewhere,
                                const OwnAddresses& own) {
    const bool address = name.type == Identifier::Type::ip;
    const std::string leads = address ? "a CA goes to " + elsewhere : name.value + " leads to " + elsewhere;
    if (!own.declared.empty())
        return addressFinding(PreflightVerdict::blocked, leads + ", which is not this box" + addressAdvice);
    return addressFinding(PreflightVerdict::uncertain,
                          leads +
                              "; whether a NAT or a proxy brings from there to this box cannot be told: name "
                              "the addresses at which "
                              "it is reached in [acme] public_addresses");
}

// A CA goes to an AAAA record first, and takes a wrong answer there for the answer.
PreflightFinding judgeOnlyIp6(const Identifier& name, const std::string& elsewhere, const std::string& here,
                              const OwnAddresses& own) {
    const std::string words = name.value + " leads here by " + here + ", but its AAAA record to " +
                              elsewhere + ", and CAs prefer IPv6";
    if (!own.declared.empty())
        return addressFinding(PreflightVerdict::blocked,
                              words + ": remove that record, or have it lead here");
    return addressFinding(PreflightVerdict::uncertain, words + ": see that it leads here too");
}

bool blocks(const PortAnswer& answer) {
    return answer.certain && answer.who != PortAnswer::Who::us;
}

std::string wordsOf(const PortAnswer& answer, const std::string& port) {
    const std::string where = "on port " + port + " of " + answer.address;
    return answer.who == PortAnswer::Who::nobody ? "nobody listens " + where
                                                 : where + " " + answer.words + " in place of the challenge";
}

}  // namespace

std::string_view toString(PreflightCheck check) noexcept {
    return hal::wordOf(preflightChecks, check);
}

std::string_view toString(PreflightVerdict verdict) noexcept {
    return hal::wordOf(preflightVerdicts, verdict);
}

std::vector<JudgedAddress> judged(const std::vector<std::string>& addresses, const OwnAddresses& own) {
    const auto has = [](const std::vector<std::string>& list, const std::string& address) {
        return std::ranges::find(list, address) != list.end();
    };
    std::vector<JudgedAddress> all;
    for (const std::string& address : addresses) {
        const bool interface = has(own.interfaces, address);
        all.push_back({address, interface, interface || has(own.declared, address)});
    }
    return all;
}

PreflightFinding judgeAddresses(const Identifier& name, const std::vector<JudgedAddress>& found,
                                const OwnAddresses& own, bool publicOnly) {
    if (found.empty())
        return addressFinding(PreflightVerdict::blocked,
                              name.value + " has no address: add an A or AAAA record that leads to this box");
    const auto usable = [&](const JudgedAddress& each) { return !publicOnly || !isSpecial(each.address); };
    const std::string special = listOf(found, std::not_fn(usable));
    const auto here = [&](const JudgedAddress& each) { return usable(each) && each.ours; };
    const auto away = [&](const JudgedAddress& each) { return usable(each) && !each.ours; };
    const auto awayBy6 = [&](const JudgedAddress& each) { return away(each) && isIp6(each.address); };
    const std::string ours = listOf(found, here);
    const std::string elsewhere = listOf(found, away);
    const std::string elsewhere6 = listOf(found, awayBy6);
    if (ours.empty() && elsewhere.empty())
        return addressFinding(
            PreflightVerdict::blocked,
            name.value + " leads to " + special +
                ", which no public CA can reach: give it a public address; where DNS tells it "
                "otherwise outside, name a server that does so in [acme] resolver");
    if (ours.empty()) return judgeElsewhere(name, elsewhere, own);
    if (!elsewhere6.empty()) return judgeOnlyIp6(name, elsewhere6, ours, own);
    if (!elsewhere.empty())
        return addressFinding(PreflightVerdict::uncertain,
                              name.value + " leads here by " + ours + ", but to " + elsewhere + " too");
    return addressFinding(PreflightVerdict::ok, name.value + " leads here: " + ours);
}

PreflightFinding judgePort(const Identifier& name, std::uint16_t port,
                           const std::vector<PortAnswer>& answers) {
    const std::string number = std::to_string(port);
    std::string wrong;
    std::string right;
    for (const PortAnswer& answer : answers)
        if (answer.who == PortAnswer::Who::us)
            right += (right.empty() ? "" : ", ") + answer.address;
        else
            wrong += (wrong.empty() ? "" : "; ") + wordsOf(answer, number);
    if (wrong.empty())
        return {PreflightCheck::port, PreflightVerdict::ok,
                "what is laid for " + name.value + " is handed out on port " + number + " of " + right};
    const bool blocked =
        std::ranges::all_of(answers, blocks) || std::ranges::any_of(answers, [](const PortAnswer& each) {
            return blocks(each) && each.who == PortAnswer::Who::other && isIp6(each.address);
        });
    return {PreflightCheck::port, blocked ? PreflightVerdict::blocked : PreflightVerdict::uncertain,
            wrong +
                ": what listens there has to pass the CA on to the responder, as the files in "
                "/usr/share/certmgr show"};
}

}  // namespace certmgr
