#include "certmgr/core/challenge_kind.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

constexpr ChallengeKind http = ChallengeKind::http01;
constexpr ChallengeKind alpn = ChallengeKind::tlsAlpn01;
constexpr ChallengeKind dns = ChallengeKind::dns01;
constexpr ChallengeKind account = ChallengeKind::dnsAccount01;
constexpr ChallengeKind persist = ChallengeKind::dnsPersist01;

TEST(ChallengeKind, hasTheWordsOfTheRegistry) {
    for (const auto& [kind, word] : {std::pair(http, "http-01"),
                                     {alpn, "tls-alpn-01"},
                                     {dns, "dns-01"},
                                     {account, "dns-account-01"},
                                     {persist, "dns-persist-01"}}) {
        EXPECT_EQ(toString(kind), word);
        EXPECT_EQ(challengeKindFrom(word), kind);
    }
    EXPECT_FALSE(challengeKindFrom("dns-02").has_value());
}

TEST(ChallengeKind, provesWhatItsRfcSays) {
    const Identifier host = parseIdentifier("gw.example");
    const Identifier wildcard = parseIdentifier("*.gw.example");
    for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
        EXPECT_EQ(whyNotProvable(parseIdentifier(address), {http}), "");
        EXPECT_EQ(whyNotProvable(parseIdentifier(address), {alpn}), "");
        EXPECT_NE(whyNotProvable(parseIdentifier(address), {dns}), "");
        EXPECT_NE(whyNotProvable(parseIdentifier(address), {account, persist}), "");
    }
    EXPECT_EQ(whyNotProvable(wildcard, {account}), "");
    EXPECT_EQ(whyNotProvable(wildcard, {persist}), "");
    EXPECT_EQ(whyNotProvable(wildcard, {http, alpn, dns}), "");
    EXPECT_EQ(
        whyNotProvable(wildcard, {http}),
        "no challenge that is set up can prove *.gw.example: http-01 cannot prove a wildcard (RFC 8555 8.3)");
    for (const ChallengeKind kind : {http, alpn, dns, account, persist})
        EXPECT_EQ(whyNotProvable(host, {kind}), "");
    EXPECT_NE(whyNotProvable(host, {}), "");
}

}  // namespace
}  // namespace certmgr
