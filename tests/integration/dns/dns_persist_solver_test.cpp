// dns-persist-01 with a real knot as primary and another one as secondary.
#include "certmgr/acme/solvers/dns_persist_solver.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "certmgr/core/error.h"
#include "tests/support/knot_server.h"
#include "tests/support/manual_clock.h"

namespace certmgr::acme {
namespace {

using testing_support::KnotServers;

const std::string persistOwnerOfGw = "_validation-persist.gw.example";
const Asking ofCa{"https://ca.example/acct/1", {"ca.example"}};
const std::string fitting = "ca.example; accounturi=https://ca.example/acct/1";

class DnsPersistSolverTest : public testing::Test {
  protected:
    void put(const std::string& text, const std::string& owner = persistOwnerOfGw,
             const std::string& zone = "gw.example") const {
        net::DnsClient(knot_.primary()).add({zone, owner, text}, knot_.key());
    }
    void awaitAtBoth(const Identifier& name) const {
        testing_support::waitUntil("both servers have it",
                                   [&] { return lookup_.withoutRecord(name, ofCa).empty(); });
    }
    static DnsPersistLookup lookupBy(std::vector<DnsSettings> settings, const KnotServers& knot,
                                     const Clock& clock) {
        return {ZoneServers(std::move(settings), knot.primary()), clock};
    }

    const Identifier name_ = parseIdentifier("gw.example");
    const Identifier wildcard_ = parseIdentifier("*.gw.example");
    KnotServers knot_;
    testing_support::ManualClock clock_{TimePoint(seconds(1'800'000'000))};
    const DnsPersistLookup lookup_ = lookupBy({knot_.settings()}, knot_, clock_);
    const DnsPersistSolver solver_{lookup_};
};

TEST_F(DnsPersistSolverTest, SaysWhatIsMissingAndTheCommandForIt) {
    EXPECT_EQ(
        solver_.whyNot(name_, ofCa),
        "finds no TXT record that fits at _validation-persist.gw.example (none names ca.example): put the "
        "one there that \"certmgrctl acme persist-record gw.example\" prints");
    put("ca.example; accounturi=https://ca.example/acct/2");
    EXPECT_EQ(
        solver_.whyNot(name_, ofCa),
        "finds no TXT record that fits at _validation-persist.gw.example (the one of ca.example is for the "
        "account https://ca.example/acct/2, and ours is https://ca.example/acct/1): put the one there that "
        "\"certmgrctl acme persist-record gw.example\" prints");
    EXPECT_EQ(solver_.whyNot(name_, {"", {"ca.example"}}),
              "needs a record that names our account at the CA, and there is none yet");
}

TEST_F(DnsPersistSolverTest, TakesARecordThatEveryServerHas) {
    put(fitting);
    EXPECT_EQ(solver_.whyNot(name_, ofCa), "");
    EXPECT_NE(solver_.whyNot(wildcard_, ofCa)
                  .find("has no policy=wildcard): put the one there that "
                        "\"certmgrctl acme persist-record gw.example --wildcard\""),
              std::string::npos);
    awaitAtBoth(name_);
    EXPECT_FALSE(solver_.missing({name_, "", "", ofCa.account, ofCa.issuers}).has_value());
    put(fitting + "; policy=wildcard; persistUntil=4102444800");
    EXPECT_EQ(solver_.whyNot(wildcard_, ofCa), "");
    EXPECT_EQ(lookup_.look(wildcard_, ofCa).record->until, TimePoint(seconds(4'102'444'800)));
}

TEST_F(DnsPersistSolverTest, WhatHasEndedIsNoneUnlessTheClockIsNotTrusted) {
    put(fitting + "; persistUntil=1000000000");
    EXPECT_NE(solver_.whyNot(name_, ofCa).find("has ended 2001-09-09T01:46:40Z"), std::string::npos);
    clock_.distrust("it stands before the build");
    EXPECT_EQ(solver_.whyNot(name_, ofCa), "");
}

TEST_F(DnsPersistSolverTest, WaitsForAServerThatHasNotGotItYet) {
    const KnotServers knot(false);
    net::DnsClient(knot.primary()).add({"gw.example", persistOwnerOfGw, fitting}, knot.key());
    const DnsPersistLookup lookup = lookupBy({knot.settings()}, knot, clock_);
    const DnsPersistSolver solver(lookup);
    EXPECT_EQ(solver.whyNot(name_, ofCa), "");
    const auto missing = solver.missing({name_, "", "", ofCa.account, ofCa.issuers});
    ASSERT_TRUE(missing.has_value());
    EXPECT_EQ(missing->what, "the record _validation-persist.gw.example at ns2.gw.example (127.0.0.2)");
    EXPECT_TRUE(missing->certain) << "a CA that asks this one fails";
}

TEST_F(DnsPersistSolverTest, DoesNotDependOnAServerThatIsAway) {
    put(fitting);
    knot_.stopSecondary();
    EXPECT_EQ(solver_.whyNot(name_, ofCa), "");
    EXPECT_FALSE(solver_.missing({name_, "", "", ofCa.account, ofCa.issuers}).has_value());
    knot_.stopPrimary();
    EXPECT_THROW(solver_.whyNot(name_, ofCa), Error) << "nobody can be asked: no verdict";
}

TEST_F(DnsPersistSolverTest, FollowsAliases) {
    put(fitting, "persist.proofs.example", "proofs.example");
    EXPECT_EQ(solver_.whyNot(parseIdentifier("away.gw.example"), ofCa), "");
    EXPECT_THROW(solver_.whyNot(parseIdentifier("circle.gw.example"), ofCa), Error);
}

// Its name servers are found by NS records; on their port 53 nobody answers here, and the resolver has to do.
TEST_F(DnsPersistSolverTest, NeedsNoZoneInTheSettings) {
    const ZoneServers servers({}, knot_.primary());
    std::vector<std::string> names;
    for (const ZoneServers::Server& server : servers.of("_validation-persist.www.gw.example")) {
        names.push_back(server.name);
        EXPECT_EQ(server.server.value().port, 53);
    }
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"ns1.gw.example (127.0.0.1)", "ns2.gw.example (127.0.0.2)"}));
    put(fitting);
    EXPECT_EQ(DnsPersistSolver(lookupBy({}, knot_, clock_)).whyNot(name_, ofCa), "");
}

}  // namespace
}  // namespace certmgr::acme
