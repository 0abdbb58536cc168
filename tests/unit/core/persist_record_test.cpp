#include "certmgr/core/persist_record.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using Texts = std::vector<std::string>;

const std::string persistAccount = "https://ca.example/acct/123";
const std::string ours = "authority.example; accounturi=" + persistAccount;
constexpr TimePoint today{seconds(1'800'000'000)};

PersistQuestion asked(bool wildcard = false) {
    return {{"authority.example", "ca.example.net"}, persistAccount, wildcard, today};
}

std::string whyNot(const Texts& texts, bool wildcard = false) {
    return judgePersist(texts, asked(wildcard)).why;
}

bool fits(const std::string& text, bool wildcard = false) {
    return judgePersist({text}, asked(wildcard)).record.has_value();
}

TEST(PersistRecordTest, WhereACaLooks) {
    EXPECT_EQ(persistOwner(parseIdentifier("gw.example")), "_validation-persist.gw.example");
    EXPECT_EQ(persistOwner(parseIdentifier("*.gw.example")), "_validation-persist.gw.example");
}

TEST(PersistRecordTest, TheCommandThatPrintsIt) {
    EXPECT_EQ(persistCommand(parseIdentifier("gw.example")), "certmgrctl acme persist-record gw.example");
    EXPECT_EQ(persistCommand(parseIdentifier("*.gw.example")),
              "certmgrctl acme persist-record gw.example --wildcard");
}

// Draft, 4 and 4.3
TEST(PersistRecordTest, TheExamplesOfTheDraft) {
    EXPECT_TRUE(fits("authority.example; accounturi=https://ca.example/acct/123"));
    const Texts two{"ca1.example; accounturi=https://ca1.example/acct/12345; policy=wildcard",
                    "ca2.example; accounturi=https://ca2.example/acct/67890; persistUntil=1767225600"};
    const TimePoint before{seconds(1'767'225'600)};
    const PersistAnswer first =
        judgePersist(two, {{"ca1.example"}, "https://ca1.example/acct/12345", true, before});
    EXPECT_EQ(first.record,
              (PersistRecord{"ca1.example", "https://ca1.example/acct/12345", true, std::nullopt}));
    PersistQuestion second{{"ca2.example"}, "https://ca2.example/acct/67890", false, before};
    EXPECT_EQ(judgePersist(two, second).record,
              (PersistRecord{"ca2.example", "https://ca2.example/acct/67890", false, before}))
        << "to its last second";
    second.now = before + seconds(1);
    EXPECT_EQ(judgePersist(two, second).why, "the one of ca2.example has ended 2026-01-01T00:00:00Z");
    second.now.reset();
    EXPECT_TRUE(judgePersist(two, second).record.has_value()) << "nothing ends by a clock that is not right";
}

// What Pebble 2.10.1 takes, in the words of its own tests.
TEST(PersistRecordTest, BlanksAndTheCaseOfTagsDoNotCount) {
    EXPECT_TRUE(
        fits("   authority.example   ;   accounturi   =   https://ca.example/acct/123   ;   policy   "
             "=   wildcard   ;   persistUntil   =   4102444800   ",
             true));
    EXPECT_TRUE(fits("authority.example;\taccounturi=https://ca.example/acct/123;\tpolicy=wIlDcArD", true));
    EXPECT_TRUE(fits("authority.example;AccountURI=https://ca.example/acct/123;pOlIcY=wildcard", true));
    EXPECT_TRUE(fits(ours + "; PERSISTUNTIL=4102444800"));
    EXPECT_TRUE(fits(ours + "; foo=")) << "\"MUST ignore any parameter [...] that has an unrecognized tag\"";
    EXPECT_TRUE(fits(ours + "; foo-2=a=b"));
}

TEST(PersistRecordTest, WhatIsMalformedSaysWhere) {
    const std::string malformed = "the one of authority.example is malformed: ";
    EXPECT_EQ(whyNot({"authority.example"}), malformed + "it has no accounturi");
    EXPECT_EQ(whyNot({"authority.example;"}), malformed + "it has no accounturi");
    EXPECT_EQ(whyNot({"authority.example; policy=wildcard"}), malformed + "it has no accounturi");
    EXPECT_EQ(whyNot({"authority.example; accounturi="}), malformed + "it has no accounturi");
    EXPECT_EQ(whyNot({ours + ";"}), malformed + "nothing stands behind one of its \";\"");
    EXPECT_EQ(whyNot({"authority.example;; accounturi=" + persistAccount}),
              malformed + "nothing stands behind one of its \";\"");
    EXPECT_EQ(whyNot({ours + "; AccountUri=" + persistAccount}),
              malformed + "it has \"accounturi\" more than once");
    EXPECT_EQ(whyNot({ours + "; foo=1; foo=2"}), malformed + "it has \"foo\" more than once");
    EXPECT_EQ(whyNot({ours + "; invalidparam"}), malformed + "found \"invalidparam\", expected tag=value");
    EXPECT_EQ(whyNot({ours + "; =abc"}),
              malformed + "found \"=abc\", expected a tag of letters, digits and \"-\"");
    EXPECT_EQ(whyNot({ours + "; policy=wild card"}),
              malformed + "the value of \"policy\" has a blank or a control character in it");
    for (const char* const until : {"", "tomorrow", "12.5", "0x10", "+5", "99999999999999999999"})
        EXPECT_FALSE(fits(ours + "; persistUntil=" + until)) << until;
    EXPECT_EQ(whyNot({ours + "; persistUntil=never"}),
              malformed + "its persistUntil is \"never\", expected seconds since 1970");
}

TEST(PersistRecordTest, OnlyTheAccountThatIsNamed) {
    EXPECT_EQ(whyNot({"authority.example; accounturi=https://ca.example/acct/999"}),
              "the one of authority.example is for the account https://ca.example/acct/999, and ours is " +
                  persistAccount);
    EXPECT_FALSE(fits("authority.example; accounturi=https://CA.example/acct/123"))
        << "compared as it stands";
    EXPECT_FALSE(fits("authority.example; accounturi=https://ca.example/acct/123/"));
}

TEST(PersistRecordTest, OnlyTheCaThatIsNamed) {
    EXPECT_EQ(whyNot({}), "none names authority.example or ca.example.net");
    EXPECT_EQ(whyNot({"other.example; accounturi=" + persistAccount, "v=spf1 -all", ""}),
              "none names authority.example or ca.example.net");
    EXPECT_TRUE(fits("ca.example.net; accounturi=" + persistAccount)) << "any of its names";
    EXPECT_EQ(whyNot({"Authority.Example; accounturi=" + persistAccount}),
              "the one of Authority.Example has to be written in lower case");
    EXPECT_TRUE(judgePersist({ours}, {{}, persistAccount, false, today}).record.has_value())
        << "of a CA that has not said what it is called";
    EXPECT_EQ(judgePersist({}, {{}, persistAccount, false, today}).why, "none names the CA");
    EXPECT_FALSE(judgePersist({"other.example; accounturi=" + persistAccount}, asked()).named);
    EXPECT_TRUE(judgePersist({"authority.example"}, asked()).named) << "and is of no use";
}

TEST(PersistRecordTest, AWildcardNeedsThePolicy) {
    EXPECT_TRUE(fits(ours + "; policy=wildcard", true));
    EXPECT_TRUE(fits(ours + "; policy=wildcard")) << "the name itself is covered too";
    EXPECT_EQ(whyNot({ours}, true), "the one of authority.example has no policy=wildcard");
    EXPECT_FALSE(fits(ours + "; policy=other", true)) << "as if it were not there";
    EXPECT_TRUE(fits(ours + "; policy=other"));
    EXPECT_TRUE(fits(ours + "; policy="));
}

TEST(PersistRecordTest, WhatHasEndedProvesNothing) {
    const auto until = [](std::int64_t time) { return ours + "; persistUntil=" + std::to_string(time); };
    EXPECT_TRUE(fits(until(1'800'000'000)));
    EXPECT_FALSE(fits(until(1'799'999'999)));
    EXPECT_EQ(whyNot({until(-1)}), "the one of authority.example has ended 1970-01-01T00:00:00Z");
    EXPECT_EQ(judgePersist({until(9'000'000'000'000)}, asked()).record->until,
              TimePoint(seconds(253'402'300'799)))
        << "beyond what a date can say";
}

TEST(PersistRecordTest, OneOfThemIsEnoughAndTheOneThatStaysLongestCounts) {
    const std::string malformed = ours + ";";
    const std::string soon = ours + "; persistUntil=1800000001";
    const std::string later = ours + "; persistUntil=1900000000";
    EXPECT_EQ(judgePersist({malformed, soon, later}, asked()).record->until,
              TimePoint(seconds(1'900'000'000)));
    EXPECT_EQ(judgePersist({later, soon}, asked()).record->until, TimePoint(seconds(1'900'000'000)));
    const PersistAnswer forEver = judgePersist({soon, ours, later}, asked());
    EXPECT_EQ(forEver.record->until, std::nullopt);
    EXPECT_EQ(forEver.why, "");
    EXPECT_EQ(whyNot({malformed, ours + "; persistUntil=1"}),
              "the one of authority.example is malformed: nothing stands behind one of its \";\"; "
              "the one of authority.example has ended 1970-01-01T00:00:01Z");
}

TEST(PersistRecordTest, WhatIsPrintedIsWhatACaTakes) {
    const PersistRecord plain{"authority.example", persistAccount, false, std::nullopt};
    EXPECT_EQ(persistText(plain), ours);
    EXPECT_EQ(persistZoneLine(parseIdentifier("gw.example"), plain),
              "_validation-persist.gw.example. IN TXT \"" + ours + "\"");
    const PersistRecord whole{"authority.example", persistAccount, true, today + seconds(1)};
    EXPECT_EQ(persistText(whole), ours + "; policy=wildcard; persistUntil=1800000001");
    EXPECT_EQ(judgePersist({persistText(whole)}, asked(true)).record, whole);
}

// RFC 1035 3.3: a string of a TXT record has 255 octets at most.
TEST(PersistRecordTest, ALongRecordIsOfSeveralStrings) {
    const PersistRecord record{
        "authority.example", "https://ca.example/\"\\" + std::string(300, 'a'), true, {}};
    const std::string line = persistZoneLine(parseIdentifier("*.gw.example"), record);
    const std::string text = persistText(record);
    EXPECT_TRUE(line.starts_with(
        R"(_validation-persist.gw.example. IN TXT "authority.example; accounturi=https://ca.example/\"\\a)"));
    EXPECT_TRUE(line.ends_with("\" \"" + text.substr(255) + "\""));
    EXPECT_EQ(line.size(),
              std::string("_validation-persist.gw.example. IN TXT").size() + text.size() + 6 + 2);
}

TEST(PersistRecordTest, WhatIsShownCannotRuleATerminal) {
    const std::string why = whyNot({"authority.example; accounturi=\x1b[2J" + std::string(500, 'x'),
                                    "authority.example; accounturi=https://other/" + std::string(500, 'x')});
    EXPECT_EQ(why.find('\x1b'), std::string::npos);
    EXPECT_LT(why.size(), 400u);
}

}  // namespace
}  // namespace certmgr
