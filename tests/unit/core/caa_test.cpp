#include "certmgr/core/caa.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using Records = std::vector<CaaRecord>;
using Names = std::vector<std::string>;

const std::string caaAccount = "https://acme.example.net/account/1234";

CaaQuestion ofCa(const std::string& identity, ChallengeKind kind = ChallengeKind::http01) {
    return {{identity}, false, kind, caaAccount};
}

CaaVerdict verdict(const Records& records, CaaQuestion question, bool wildcard = false) {
    question.wildcard = wildcard;
    return judgeCaa(records, question).verdict;
}

CaaRecord issue(const std::string& value) {
    return {0, "issue", value};
}

TEST(CaaTest, NoRecordOrNoneThatIsAboutIssuingAllowsAll) {
    EXPECT_EQ(verdict({}, ofCa("ca1.example.net")), CaaVerdict::allowed);
    EXPECT_EQ(verdict({{0, "iodef", "mailto:security@example.com"}}, ofCa("ca1.example.net")),
              CaaVerdict::allowed);
    EXPECT_EQ(verdict({{0, "issuewild", ";"}}, ofCa("ca1.example.net")), CaaVerdict::allowed)
        << "RFC 8659 4.3: issuewild is for wildcards only";
}

// RFC 8659 4.2 and 4.3
TEST(CaaTest, TheExamplesOfTheRfc) {
    const Records certs{issue("ca1.example.net"), issue("ca2.example.org")};
    EXPECT_EQ(verdict(certs, ofCa("ca1.example.net")), CaaVerdict::allowed);
    EXPECT_EQ(verdict(certs, ofCa("ca2.example.org")), CaaVerdict::allowed);
    EXPECT_EQ(judgeCaa(certs, ofCa("ca3.example")).why,
              "allow only ca1.example.net; allow only ca2.example.org");
    EXPECT_EQ(verdict({issue("ca1.example.net; account=230123")}, ofCa("ca1.example.net")),
              CaaVerdict::allowed)
        << "a parameter that only that CA knows";

    const Records wild{issue("ca1.example.net"), {0, "issuewild", "ca2.example.org"}};
    EXPECT_EQ(verdict(wild, ofCa("ca1.example.net")), CaaVerdict::allowed);
    EXPECT_EQ(verdict(wild, ofCa("ca2.example.org")), CaaVerdict::forbidden);
    EXPECT_EQ(verdict(wild, ofCa("ca1.example.net"), true), CaaVerdict::forbidden);
    EXPECT_EQ(verdict(wild, ofCa("ca2.example.org"), true), CaaVerdict::allowed);
    const Records onlyWild{issue(";"), {0, "issuewild", "ca1.example.net"}};
    EXPECT_EQ(verdict(onlyWild, ofCa("ca1.example.net")), CaaVerdict::forbidden);
    EXPECT_EQ(verdict(onlyWild, ofCa("ca1.example.net"), true), CaaVerdict::allowed);
    EXPECT_EQ(verdict({issue("ca1.example.net")}, ofCa("ca1.example.net"), true), CaaVerdict::allowed)
        << "without issuewild, issue counts for wildcards";
}

TEST(CaaTest, NobodyIsAllowed) {
    for (const char* const value : {";", "", " ", "; a=b"})
        EXPECT_EQ(judgeCaa({issue(value)}, ofCa("ca1.example.net")).why, "let no CA issue") << value;
    for (const char* const value : {"%%%%%", "ca1.example.net; no value", "ca1.example.net; a=b;",
                                    "ca1.example.net; =b", "ca1.example.net other"})
        EXPECT_EQ(verdict({issue(value)}, ofCa("ca1.example.net")), CaaVerdict::forbidden) << value;
    EXPECT_EQ(verdict({issue(";"), issue("ca1.example.net")}, ofCa("ca1.example.net")), CaaVerdict::allowed)
        << "4.2: the properties of a set add up";
    EXPECT_EQ(verdict({issue(";")}, {{}}), CaaVerdict::forbidden) << "whoever the CA is";
}

// RFC 8659 4.1 and 4.2
TEST(CaaTest, ACriticalPropertyThatNobodyKnowsForbids) {
    const CaaRecord unknown{128, "tbs", "Unknown"};
    EXPECT_EQ(verdict({unknown, issue("ca1.example.net")}, ofCa("ca1.example.net")), CaaVerdict::forbidden);
    EXPECT_NE(judgeCaa({unknown}, ofCa("ca1.example.net")).why.find("\"tbs\""), std::string::npos);
    EXPECT_EQ(verdict({{0, "tbs", "Unknown"}}, ofCa("ca1.example.net")), CaaVerdict::allowed);
    EXPECT_EQ(verdict({{128, "ISSUE", "ca1.example.net"}}, ofCa("ca1.example.net")), CaaVerdict::allowed);
}

TEST(CaaTest, CaseAndSpacesDoNotCount) {
    EXPECT_EQ(verdict({{0, "Issue", " \tCA1.Example.Net\t ;"}}, ofCa("ca1.EXAMPLE.net")),
              CaaVerdict::allowed);
}

TEST(CaaTest, OneOfItsIdentitiesIsEnough) {
    EXPECT_EQ(verdict({issue("second.example")}, {{"first.example", "second.example"}}), CaaVerdict::allowed);
}

TEST(CaaTest, ACaThatDoesNotSayWhoItIsMayBeAllowed) {
    const CaaAnswer answer = judgeCaa({issue("ca1.example.net")}, {{}});
    EXPECT_EQ(answer.verdict, CaaVerdict::unknown);
    EXPECT_EQ(answer.why, "allow only ca1.example.net, and the CA does not say whether it is that");
}

// RFC 8657 3
TEST(CaaTest, OnlyTheAccountThatIsNamed) {
    const CaaQuestion ours = ofCa("example.net");
    CaaQuestion withoutAccount = ours;
    withoutAccount.account.clear();
    const Records forUs{issue("example.net; accounturi=" + caaAccount)};
    const Records forOthers{issue("example.net; accounturi=https://acme.example.net/account/4321")};
    EXPECT_EQ(verdict(forUs, ours), CaaVerdict::allowed);
    EXPECT_EQ(verdict(forOthers, ours), CaaVerdict::forbidden);
    EXPECT_EQ(judgeCaa(forOthers, ours).why,
              "allow example.net only for the account https://acme.example.net/account/4321, and ours is " +
                  caaAccount);
    EXPECT_EQ(verdict(forUs, withoutAccount), CaaVerdict::unknown);
    EXPECT_EQ(verdict({forOthers.front(), forUs.front()}, ours), CaaVerdict::allowed) << "any of them";
    EXPECT_EQ(verdict({issue("example.net; accounturi=" + caaAccount + "; accounturi=" + caaAccount)}, ours),
              CaaVerdict::forbidden)
        << "several can be satisfied by nobody";
    EXPECT_EQ(verdict(forUs, ofCa("example.com")), CaaVerdict::forbidden);
}

// RFC 8657 4
TEST(CaaTest, OnlyTheMethodsThatAreNamed) {
    const Records both{issue("example.net; validationmethods=dns-01,http-01")};
    EXPECT_EQ(verdict(both, ofCa("example.net", ChallengeKind::dns01)), CaaVerdict::allowed);
    EXPECT_EQ(verdict(both, ofCa("example.net", ChallengeKind::http01)), CaaVerdict::allowed);
    EXPECT_EQ(verdict(both, ofCa("example.net", ChallengeKind::tlsAlpn01)), CaaVerdict::forbidden);
    EXPECT_EQ(judgeCaa(both, ofCa("example.net", ChallengeKind::tlsAlpn01)).why,
              "allow example.net only to prove it by \"dns-01,http-01\", which does not have tls-alpn-01");
    EXPECT_EQ(verdict({issue("example.net; validationmethods=")}, ofCa("example.net")),
              CaaVerdict::forbidden);
    EXPECT_EQ(verdict({issue("example.net; validationmethods=http-01; validationmethods=http-01")},
                      ofCa("example.net")),
              CaaVerdict::forbidden);
    const Records account4{issue("example.net; accounturi=" + caaAccount + "; validationmethods=dns-01")};
    EXPECT_EQ(verdict(account4, ofCa("example.net", ChallengeKind::dns01)), CaaVerdict::allowed);
    EXPECT_EQ(verdict(account4, ofCa("example.net")), CaaVerdict::forbidden);
}

TEST(CaaTest, WhatIsShownCannotRuleATerminal) {
    const std::string why =
        judgeCaa({issue("\x1b[2Jca.example\n" + std::string(500, 'x'))}, ofCa("example.net")).why;
    EXPECT_EQ(why.find('\x1b'), std::string::npos);
    EXPECT_EQ(why.find('\n'), std::string::npos);
    EXPECT_LT(why.size(), 200u);
}

TEST(CaaTest, TheNamesAboveAreLookedAtInTurn) {
    EXPECT_EQ(caaNames(parseIdentifier("a.b.example.com")),
              (Names{"a.b.example.com", "b.example.com", "example.com", "com"}));
    EXPECT_EQ(caaNames(parseIdentifier("*.example.com")), (Names{"example.com", "com"}));
    EXPECT_EQ(caaNames(parseIdentifier("192.0.2.1")), Names{}) << "RFC 8659 knows names only";
}

}  // namespace
}  // namespace certmgr
