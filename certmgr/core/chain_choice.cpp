#include "certmgr/core/chain_choice.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "certmgr/core/ascii.h"

namespace certmgr {
namespace {

constexpr std::size_t longestName = 128;
constexpr std::size_t fingerprintDigits = 64;

std::string quoted(const std::string& text) {
    return "\"" + text + "\"";
}

// The leaf has judges of its own.
std::span<const ChainLink> aboveLeaf(const ChainLinks& chain) {
    return std::span(chain).subspan(chain.empty() ? 0 : 1);
}

const ChainLink* notValid(const ChainLinks& chain, const ChainWish& wish) {
    for (const ChainLink& link : aboveLeaf(chain))
        if (wish.now && (*wish.now < link.notBefore || link.notAfter <= *wish.now)) return &link;
    return nullptr;
}

const ChainLink* endsBeforeLeaf(const ChainLinks& chain) {
    for (const ChainLink& link : aboveLeaf(chain))
        if (link.notAfter < chain.front().notAfter) return &link;
    return nullptr;
}

// The wish is where it ends, not a certificate by that name that leads on to another root.
bool endsAsPreferred(const ChainLinks& chain, const ChainWish& wish) {
    if (wish.preferred.empty() || chain.empty()) return false;
    const ChainLink& top = chain.back();
    return top.issuerCommonName == wish.preferred || top.sha256 == wish.preferred ||
           (!wish.rootSubject.empty() && top.issuer == wish.rootSubject);
}

bool isPreferred(const ChainLinks& chain, const ChainWish& wish) {
    if (wish.preferred.empty() || chain.empty()) return false;
    if (endsAsPreferred(chain, wish) || chain.front().issuerCommonName == wish.preferred) return true;
    return std::ranges::any_of(aboveLeaf(chain), [&](const ChainLink& link) {
        return link.issuerCommonName == wish.preferred || link.sha256 == wish.preferred;
    });
}

std::string rootOf(const ChainLinks& chain) {
    if (chain.empty()) return "nobody";
    const ChainLink& top = chain.back();
    return quoted(top.issuerCommonName.empty() ? top.issuer : top.issuerCommonName);
}

std::string described(std::size_t index, const ChainLinks& chain) {
    return (index == 0 ? "the first chain of the CA"
                       : "alternate chain " + std::to_string(index) + " of the CA") +
           ", to " + rootOf(chain);
}

// What is wrong with a chain, beginning with the name of the certificate; empty: nothing.
std::string faultOf(const ChainLinks& chain, const ChainWish& wish) {
    if (const ChainLink* const link = notValid(chain, wish))
        return quoted(link->commonName) + (*wish.now < link->notBefore
                                               ? " begins " + formatTime(link->notBefore)
                                               : " ended " + formatTime(link->notAfter));
    if (const ChainLink* const link = endsBeforeLeaf(chain))
        return quoted(link->commonName) + " ends " + formatTime(link->notAfter) + ", before the certificate";
    return "";
}

std::string whyNotPreferred(const std::vector<ChainLinks>& chains, const ChainWish& wish) {
    const auto preferred =
        std::ranges::find_if(chains, [&](const ChainLinks& chain) { return isPreferred(chain, wish); });
    if (preferred == chains.end())
        return "; none leads to " + quoted(wish.preferred) + ", which is preferred";
    return "; the preferred one, to " + rootOf(*preferred) + ", is left out: in it " +
           faultOf(*preferred, wish);
}

std::string reasonFor(std::size_t index, const std::vector<ChainLinks>& chains, const ChainWish& wish) {
    const ChainLinks& chosen = chains[index];
    std::string reason = described(index, chosen);
    if (isPreferred(chosen, wish))
        reason += ", which is preferred";
    else if (!wish.preferred.empty())
        reason += whyNotPreferred(chains, wish);
    else if (index > 0)
        reason += "; in the first " + faultOf(chains.front(), wish);
    if (const ChainLink* const link = endsBeforeLeaf(chosen))
        reason += "; in it " + quoted(link->commonName) + " ends " + formatTime(link->notAfter) +
                  ", before the certificate, and there is no better one";
    return reason;
}

}  // namespace

std::optional<std::string> preferredChainFrom(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c != ':') digits += lowered(c);
    if (isFingerprint(digits)) return digits;
    const bool printable = std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c != 0x7f; });
    if (text.empty() || text.size() > longestName || !printable) return std::nullopt;
    return std::string(text);
}

bool isFingerprint(std::string_view preferred) noexcept {
    return preferred.size() == fingerprintDigits &&
           std::ranges::all_of(preferred, [](char c) { return isDigit(c) || (c >= 'a' && c <= 'f'); });
}

bool goodEnough(const ChainLinks& first, const ChainWish& wish) {
    return faultOf(first, wish).empty() && (wish.preferred.empty() || endsAsPreferred(first, wish));
}

ChainChoice chooseChain(const std::vector<ChainLinks>& chains, const ChainWish& wish) {
    const auto rank = [&](const ChainLinks& chain) {
        return std::tuple(notValid(chain, wish) == nullptr, endsBeforeLeaf(chain) == nullptr,
                          isPreferred(chain, wish), endsAsPreferred(chain, wish));
    };
    const auto best = std::ranges::max_element(  // the first of equals
        chains, [&](const ChainLinks& one, const ChainLinks& other) { return rank(one) < rank(other); });
    if (best == chains.end()) return {std::nullopt, "the CA gives no chain"};
    if (notValid(*best, wish)) {
        std::string reason = "no chain of the CA is valid now";
        for (const ChainLinks& chain : chains)
            reason += "; in the one to " + rootOf(chain) + " " + faultOf(chain, wish);
        return {std::nullopt, reason};
    }
    const auto index = static_cast<std::size_t>(best - chains.begin());
    return {index, reasonFor(index, chains, wish)};
}

}  // namespace certmgr
