// Against a real knot.
#include "certmgr/net/name_lookup.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/knot_server.h"

namespace certmgr::net {
namespace {

using testing_support::KnotServers;
using Names = std::vector<std::string>;
using Type = NameLookup::Question::Type;

constexpr std::chrono::milliseconds limit{20'000};  // what knot has to say comes at once

class NameLookupTest : public testing::Test {
  protected:
    Lookup one(Type type, const std::string& name) const {
        return lookup_.ask({{type, name}}, limit).front();
    }

    KnotServers knot_;
    NameLookup lookup_{knot_.primary()};
};

TEST_F(NameLookupTest, AsksSeveralAtOnceAndKeepsTheirOrder) {
    const std::vector<Lookup> found = lookup_.ask(
        {{Type::aaaa, "six.gw.example"}, {Type::a, "ns2.gw.example"}, {Type::caa, "only.gw.example"}}, limit);
    EXPECT_EQ(found[0].values, Names{"2001:db8::6"});
    EXPECT_EQ(found[1].values, Names{"127.0.0.2"});
    ASSERT_EQ(found[2].caa.size(), 2u);
    const CaaRecord& first = found[2].caa[found[2].caa[0].tag == "issue" ? 0 : 1];
    EXPECT_EQ(first.value, "ca.example; accounturi=https://ca.example/1");
    EXPECT_EQ(first.flags, 0);
    EXPECT_TRUE(std::ranges::any_of(
        found[2].caa, [](const CaaRecord& each) { return each.tag == "unknown" && each.flags == 128; }));
}

TEST_F(NameLookupTest, ACaaRecordMayHaveAnEmptyValue) {
    const Lookup found = one(Type::caa, "nobody-may.gw.example");
    ASSERT_EQ(found.caa.size(), 1u);
    EXPECT_EQ(found.caa[0].tag + "=" + found.caa[0].value, "issue=");
}

TEST_F(NameLookupTest, FollowsAliasesAlsoIntoAnotherZone) {
    EXPECT_EQ(one(Type::a, "alias.gw.example").values, Names{"127.0.0.2"});
    EXPECT_EQ(one(Type::caa, "alias-of-only.gw.example").caa.size(), 2u);
    EXPECT_EQ(one(Type::a, "alias-away.gw.example").values, Names{"127.0.0.1"});
}

TEST_F(NameLookupTest, WhatIsNotThereIsAnAnswerWithoutRecords) {
    for (const char* const name : {"six.gw.example", "nobody.six.gw.example"}) {
        const Lookup found = one(Type::a, name);
        EXPECT_EQ(found.outcome, LookupOutcome::answered) << name;
        EXPECT_EQ(found.values, Names{}) << name;
    }
}

TEST_F(NameLookupTest, AZoneThatFailsIsToldFromAServerThatRefuses) {
    EXPECT_EQ(one(Type::caa, "www.broken.example").outcome, LookupOutcome::failed);
    EXPECT_EQ(one(Type::caa, "www.elsewhere.example").outcome, LookupOutcome::unreachable) << "REFUSED";
}

TEST_F(NameLookupTest, AnAnswerThatIsTooLongForADatagramComesByTcp) {
    EXPECT_EQ(one(Type::a, "many.gw.example").values.size(), 120u);
}

TEST_F(NameLookupTest, APortWhereNobodyListensIsKnownBeforeTheLimit) {
    const NameLookup nobody({"127.0.0.1", testing_support::freePort()});
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(nobody.ask({{Type::a, "gw.example"}}, std::chrono::hours(1)).front().outcome,
              LookupOutcome::unreachable);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(30));
    EXPECT_EQ(lookup_.ask({{Type::a, std::string(70, 'a') + ".example"}}, limit).front().outcome,
              LookupOutcome::unreachable)
        << "no name of DNS";
}

TEST(InterfaceAddressesTest, HasLoopback) {
    const Names addresses = interfaceAddresses();
    EXPECT_NE(std::ranges::find(addresses, "127.0.0.1"), addresses.end());
}

}  // namespace
}  // namespace certmgr::net
