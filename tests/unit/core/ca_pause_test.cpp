#include "certmgr/core/ca_pause.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using Subjects = std::set<std::string>;

const OrderedNames order{parseIdentifiers({"www.example.com", "*.example.com"}), {"example.com"}};

// Boulder's words, ratelimits/limiter.go and wfe2/wfe.go.
TEST(Meant, isWhatTheCaNames) {
    EXPECT_EQ(subjectsMeant("Your account is temporarily prevented from requesting certificates for "
                            "www.example.com and possibly others. Please visit: it",
                            order),
              Subjects{"www.example.com"});
    EXPECT_EQ(subjectsMeant("... for *.example.com, WWW.example.com and possibly others.", order),
              (Subjects{"*.example.com", "www.example.com"}));
    EXPECT_EQ(subjectsMeant("too many failed authorizations (5) for \"www.example.com\" in the last 1h0m0s, "
                            "retry after 2026-11-29 20:15:00 UTC",
                            order),
              Subjects{"www.example.com"});
    EXPECT_EQ(
        subjectsMeant("too many certificates (50) already issued for \"example.com\" in the last 168h0m0s",
                      order),
        Subjects{"below example.com"});
    EXPECT_EQ(subjectsMeant("too many certificates (5) already issued for this exact set of identifiers in "
                            "the last 168h0m0s",
                            order),
              Subjects{"exactly " + order.names[0].value + ", " + order.names[1].value});
}

TEST(Meant, isEveryOrderWhereTheCaNamesNothing) {
    for (const char* words :
         {"", "too many new orders (300) from this account in the last 3h0m0s", "Service busy; retry later.",
          "too many certificates (50) already issued for \"example.org\"", "for notexample.com",
          "for example.com.test"})
        EXPECT_EQ(subjectsMeant(words, order), Subjects{""}) << words;
}

TEST(Meant, isOfADomainWhereThatIsAllThatIsNamed) {
    EXPECT_EQ(subjectsMeant("example.com has too many of them.",
                            {parseIdentifiers({"a.example.com"}), {"example.com"}}),
              Subjects{"below example.com"});
    const OrderedNames itself{parseIdentifiers({"example.com"}), {"example.com"}};
    EXPECT_EQ(subjectsMeant("too many failed authorizations (5) for \"example.com\"", itself),
              Subjects{"example.com"});
    EXPECT_EQ(subjectsMeant("too many certificates (50) already issued for \"example.com\"", itself),
              Subjects{"below example.com"});
}

TEST(End, isAWeekAwayAtTheMostAndADayWhereNothingIsNamed) {
    using std::chrono::hours;
    const TimePoint today{hours(24 * 20000)};
    EXPECT_EQ(endOf({"", today + hours(1), "", ""}, today), today + hours(1));
    EXPECT_EQ(endOf({"", today + hours(24 * 7), "", ""}, today), today + hours(24));
    EXPECT_EQ(endOf({"www.example.com", today + hours(24 * 6), "", ""}, today), today + hours(24 * 6));
    EXPECT_EQ(endOf({"below example.com", today + hours(24 * 400), "", ""}, today), today + hours(24 * 7));
}

TEST(Subjects, holdBackWhatTheyAreAbout) {
    const Subjects held = subjectsOf(order);
    for (const char* subject : {"", "www.example.com", "*.example.com", "example.com", "below example.com"})
        EXPECT_TRUE(held.contains(subject)) << subject;
    EXPECT_TRUE(held.contains("exactly " + order.names[0].value + ", " + order.names[1].value));
    const Subjects other = subjectsOf({parseIdentifiers({"a.example.com"}), {"example.com"}});
    EXPECT_FALSE(other.contains("example.com")) << "a name is not all below it";
    EXPECT_TRUE(other.contains("below example.com"));
}

TEST(Exempt, isWhatTheCaDoesNotCount) {
    RateLimit perDomain{LimitKind::certificatesPerDomain, 50, std::chrono::hours(24 * 7)};
    perDomain.renewalsExempt = true;
    const CaPause below{"below example.com", {}, "", ""};
    const CaPause exactly{"exactly www.example.com", {}, "", ""};
    OrderFacts renewal, suggested;
    renewal.renewal = suggested.suggested = true;
    EXPECT_TRUE(isExempt(suggested, below, {}));
    EXPECT_TRUE(isExempt(suggested, exactly, {}));
    EXPECT_TRUE(isExempt(renewal, below, {perDomain}));
    EXPECT_FALSE(isExempt(renewal, below, {}));
    EXPECT_FALSE(isExempt(renewal, exactly, {perDomain}));
    EXPECT_FALSE(isExempt({}, below, {perDomain}));
    for (const char* subject : {"", "www.example.com"})
        EXPECT_FALSE(isExempt(suggested, {subject, {}, "", ""}, {perDomain})) << subject;
    EXPECT_FALSE(isExempt(suggested, {"below example.com", {}, "", "https://page"}, {perDomain}));
}

}  // namespace
}  // namespace certmgr
