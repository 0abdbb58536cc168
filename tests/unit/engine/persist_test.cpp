// Records of dns-persist-01 that somebody asks for: which ones are wanted, and whether they are there.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

class PersistTest : public EngineTest {
  protected:
    PersistTest() { settings.cas.front().caaIdentities = {"fake.example", "second.example"}; }
    PersistRecords ask(const PersistRecordCommand& command) {
        PersistRecords found;
        engine->persistRecords(command, [&](const PersistRecords& records) { found = records; });
        settle();
        return found;
    }
    std::string refusal(const PersistRecordCommand& command) {
        try {
            const PersistRecords found = ask(command);
            return found.failure ? found.failure->code() : "none";
        } catch (const Error& error) {
            return error.code();
        }
    }
};

TEST_F(PersistTest, TheRecordNamesTheCaAndTheAccountAlsoWhereDnsIsSilent) {
    persistLookup.setSilent(true);
    startEngine();
    const std::string account = engine->accounts().front().url;
    ASSERT_NE(account, "");
    PersistRecords found = ask({"gw.example.com", "", false, std::nullopt});
    ASSERT_EQ(found.entries.size(), 1u);
    EXPECT_EQ(found.entries[0].owner, "_validation-persist.gw.example.com");
    EXPECT_EQ(found.entries[0].record, "fake.example; accounturi=" + account);
    EXPECT_FALSE(found.entries[0].there);
    EXPECT_TRUE(found.entries[0].sentence.starts_with("what is there cannot be told: "))
        << found.entries[0].sentence;
    found = ask({"gw.example.com", "fake", true, TimePoint(seconds(1'900'000'000))});
    EXPECT_EQ(found.entries.at(0).record,
              "fake.example; accounturi=" + account + "; policy=wildcard; persistUntil=1900000000");
    EXPECT_EQ(ask({"*.gw.example.com", "", false, std::nullopt}).entries.at(0).record,
              "fake.example; accounturi=" + account + "; policy=wildcard");
}

TEST_F(PersistTest, OneThatIsThereIsTold) {
    startEngine();
    const PersistRecordEntry wanted = ask({"gw.example.com", "", false, std::nullopt}).entries.at(0);
    EXPECT_FALSE(wanted.there);
    EXPECT_EQ(wanted.sentence, "no TXT record that fits is there: none names fake.example or second.example");
    persistLookup.put(wanted.owner, {wanted.record});
    const PersistRecordEntry found = ask({"gw.example.com", "", false, std::nullopt}).entries.at(0);
    EXPECT_TRUE(found.there);
    EXPECT_EQ(found.sentence, "one that fits is there, without an end");
    EXPECT_FALSE(ask({"*.gw.example.com", "", false, std::nullopt}).entries.at(0).there);
}

TEST_F(PersistTest, WithoutAnAccountOrAnIdentityThereIsNone) {
    settings.cas.push_back({"second", testing_support::FakeAcme::directory, "", {}, true});
    startEngine();
    settings.cas.front().caaIdentities.clear();
    startEngine();
    const PersistRecords found = ask({"gw.example.com", "", false, std::nullopt});
    ASSERT_EQ(found.entries.size(), 2u);
    EXPECT_EQ(found.entries[0].record, "");
    EXPECT_EQ(found.entries[0].sentence,
              "its directory does not say how a record may name the CA (caaIdentities)");
    EXPECT_EQ(found.entries[1].record, "");
    EXPECT_TRUE(found.entries[1].sentence.starts_with("there is no account yet"));
}

TEST_F(PersistTest, WhatCannotBeIsRefused) {
    startEngine();
    EXPECT_EQ(refusal({"192.0.2.1", "", false, std::nullopt}), "bad-name");
    EXPECT_EQ(refusal({"two words", "", false, std::nullopt}), "bad-name");
    EXPECT_EQ(refusal({"gw.example.com", "nobody", false, std::nullopt}), "no-such-ca");
    EXPECT_EQ(refusal({"gw.example.com", "", false, start}), "bad-time");
}

}  // namespace
}  // namespace certmgr::engine
