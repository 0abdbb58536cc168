#include "certmgr/core/preflight.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using Addresses = std::vector<std::string>;

const Identifier name{Identifier::Type::dns, "gw.company.com"};
constexpr const char* ours4 = "9.9.9.9";
constexpr const char* ours6 = "2620:fe::9";
constexpr const char* other4 = "8.8.8.8";
constexpr const char* other6 = "2001:4860:4860::8888";

PreflightFinding judge(const Addresses& found, const OwnAddresses& own, bool publicOnly = true) {
    return judgeAddresses(name, judged(found, own), own, publicOnly);
}

PreflightVerdict verdict(const Addresses& found, const OwnAddresses& own, bool publicOnly = true) {
    return judge(found, own, publicOnly).verdict;
}

const OwnAddresses onTheNet{{"127.0.0.1", "::1", "fe80::1", ours4, ours6}, {ours4, ours6}};
const OwnAddresses only4{{"127.0.0.1", ours4}, {ours4}};
const OwnAddresses undeclared{{"127.0.0.1", ours4, ours6}, {}};
const OwnAddresses behindNat{{"127.0.0.1", "192.168.1.2", "fe80::1"}, {}};
const OwnAddresses declared{{"127.0.0.1", "192.168.1.2"}, {ours4}};

TEST(PreflightAddressTest, ANameThatLeadsHere) {
    EXPECT_EQ(judge({ours4, ours6}, onTheNet),
              (PreflightFinding{PreflightCheck::address, PreflightVerdict::ok,
                                "gw.company.com leads here: 9.9.9.9, 2620:fe::9"}));
    EXPECT_EQ(verdict({ours4}, onTheNet), PreflightVerdict::ok);
    EXPECT_EQ(verdict({ours4}, declared), PreflightVerdict::ok);
}

TEST(PreflightAddressTest, ANameThatLeadsElsewhere) {
    const PreflightFinding finding = judge({other4}, onTheNet);
    EXPECT_EQ(finding.verdict, PreflightVerdict::blocked);
    EXPECT_EQ(finding.words,
              "gw.company.com leads to 8.8.8.8, which is not this box: correct the name or its records, or "
              "name the address in [acme] public_addresses where a NAT or a proxy brings from there to this "
              "box");
    EXPECT_EQ(verdict({other4}, declared), PreflightVerdict::blocked);
    EXPECT_EQ(verdict({other6}, declared), PreflightVerdict::blocked);
    EXPECT_EQ(verdict({}, onTheNet), PreflightVerdict::blocked) << "no address at all";
    EXPECT_EQ(verdict({}, behindNat), PreflightVerdict::blocked);
}

TEST(PreflightAddressTest, WhatIsBeforeTheBoxNobodyKnowsUnlessItIsDeclared) {
    EXPECT_EQ(verdict({other4}, behindNat), PreflightVerdict::uncertain);
    EXPECT_EQ(verdict({other6}, behindNat), PreflightVerdict::uncertain);
    EXPECT_EQ(verdict({other4}, undeclared), PreflightVerdict::uncertain) << "a CDN";
    EXPECT_EQ(verdict({ours4, other6}, undeclared), PreflightVerdict::uncertain);
    EXPECT_EQ(verdict({ours4}, undeclared), PreflightVerdict::ok);
}

TEST(PreflightAddressTest, AnAaaaRecordThatLeadsElsewhereIsAFindingOfItsOwn) {
    const PreflightFinding finding = judge({ours4, other6}, onTheNet);
    EXPECT_EQ(finding.verdict, PreflightVerdict::blocked);
    EXPECT_EQ(finding.words,
              "gw.company.com leads here by 9.9.9.9, but its AAAA record to 2001:4860:4860::8888, and CAs "
              "prefer IPv6: remove that record, or have it lead here");
    EXPECT_EQ(verdict({ours4, other6}, only4), PreflightVerdict::blocked) << "it has no IPv6 of its own";
    EXPECT_EQ(verdict({"192.168.1.2", other6}, behindNat, false), PreflightVerdict::uncertain);
    EXPECT_EQ(verdict({ours4, other4}, onTheNet), PreflightVerdict::uncertain) << "a CA takes either";
}

TEST(PreflightAddressTest, PrivateAddressesLeadAPublicCaNowhere) {
    for (const char* const address : {"192.168.1.2", "127.0.0.1", "100.64.0.1", "203.0.113.1", "fd00::1"}) {
        EXPECT_EQ(verdict({address}, behindNat), PreflightVerdict::blocked) << address;
        EXPECT_EQ(verdict({address, ours4}, onTheNet), PreflightVerdict::ok)
            << address << ": CAs pass it over";
    }
    EXPECT_EQ(verdict({"192.168.1.2"}, behindNat, false), PreflightVerdict::ok) << "a CA inside the company";
    EXPECT_EQ(verdict({"192.168.1.3"}, behindNat, false), PreflightVerdict::uncertain);
}

TEST(PreflightAddressTest, AnAddressProvesItself) {
    const Identifier ip = parseIdentifier(ours4);
    EXPECT_EQ(judgeAddresses(ip, judged({ours4}, onTheNet), onTheNet, true).verdict, PreflightVerdict::ok);
    const Identifier other = parseIdentifier(other4);
    EXPECT_EQ(judgeAddresses(other, judged({other4}, onTheNet), onTheNet, true).words.substr(0, 46),
              "a CA goes to 8.8.8.8, which is not this box: c");
}

using Who = PortAnswer::Who;

TEST(PreflightPortTest, WhatTheResponderAnswersIsSaidWithTheAddresses) {
    EXPECT_EQ(judgePort(name, 80, {{ours6, Who::us, "", true}, {ours4, Who::us, "", true}}),
              (PreflightFinding{
                  PreflightCheck::port, PreflightVerdict::ok,
                  "what is laid for gw.company.com is handed out on port 80 of 2620:fe::9, 9.9.9.9"}));
}

TEST(PreflightPortTest, WhoAnswersInItsPlaceIsNamed) {
    const PreflightFinding finding =
        judgePort(name, 80, {{ours4, Who::other, "nginx/1.22.1 answers 404", true}});
    EXPECT_EQ(finding.verdict, PreflightVerdict::blocked);
    EXPECT_EQ(finding.words,
              "on port 80 of 9.9.9.9 nginx/1.22.1 answers 404 in place of the challenge: what listens there "
              "has to pass the CA on to the responder, as the files in /usr/share/certmgr show");
    const PreflightFinding nobody = judgePort(name, 80, {{ours4, Who::nobody, "", true}});
    EXPECT_EQ(nobody.verdict, PreflightVerdict::blocked);
    EXPECT_TRUE(nobody.words.starts_with("nobody listens on port 80 of 9.9.9.9: "));
}

TEST(PreflightPortTest, OnlyWhatACaWouldMeetForCertainBlocks) {
    const PortAnswer right4{ours4, Who::us, "", true};
    const PortAnswer right6{ours6, Who::us, "", true};
    const PortAnswer wrong4{ours4, Who::other, "a proxy answers 404", true};
    const PortAnswer wrong6{ours6, Who::other, "a proxy answers 404", true};
    const PortAnswer redirect{ours4, Who::other, "a portal leads to http://login/", false};
    EXPECT_EQ(judgePort(name, 80, {redirect}).verdict, PreflightVerdict::uncertain);
    EXPECT_EQ(judgePort(name, 80, {right6, wrong4}).verdict, PreflightVerdict::uncertain);
    EXPECT_EQ(judgePort(name, 80, {right4, wrong6}).verdict, PreflightVerdict::blocked) << "CAs prefer IPv6";
    EXPECT_EQ(judgePort(name, 80, {wrong4, wrong6}).verdict, PreflightVerdict::blocked);
    EXPECT_EQ(judgePort(name, 80, {right4, {ours6, Who::nobody, "", true}}).verdict,
              PreflightVerdict::uncertain)
        << "CAs go on to IPv4";
    EXPECT_EQ(judgePort(name, 80, {wrong4, redirect}).verdict, PreflightVerdict::uncertain);
}

}  // namespace
}  // namespace certmgr
