// Whole orders through a packet filter that is shut: open while the CA may look, closed in every way out.
#include <gtest/gtest.h>

#include "certmgr/acme/solvers/webroot_solver.h"
#include "tests/integration/acme/acme_world.h"
#include "tests/support/fake_port_opener.h"

namespace acme_test {
namespace {

using testing_support::FakePortOpener;

constexpr std::uint16_t httpPort = 80;

// Looks at the port at each step, and stops the run at one of them.
struct Watching : MemoryJournal {
    explicit Watching(const FakePortOpener& watched) : filter(watched) {}
    void activity(const std::string& sentence) override {
        MemoryJournal::activity(sentence);
        const bool looking = sentence.starts_with("waiting for the authorization");
        if (looking != filter.isOpen(httpPort)) wrong = sentence;
        if (looking && stopping) stop.request_stop();
    }
    const FakePortOpener& filter;
    std::string wrong;
    bool stopping = false;
    std::stop_source stop;
};

class Ports : public testing::Test {
  protected:
    void issue() { acme::issue(*session_, request_, {{solver_}}, journal_, journal_.stop.get_token()); }
    std::string failure() {
        try {
            issue();
        } catch (const Error& error) {
            return error.code() + ": " + error.what();
        }
        return "issued";
    }

    World world_{{.sleep = true, .environment = {{"PEBBLE_VA_SLEEPTIME", "1"}}}};
    FakePortOpener filter_;
    acme::SharedPort port_{filter_, httpPort};
    acme::WebrootSolver solver_{world_.responder.directory(), 0, &port_};
    hal::Pkey key_{EVP_EC_gen("P-256")};
    acme::Request request_ = requestFor({"gw.example", "www.gw.example"}, *key_);
    std::unique_ptr<acme::Session> session_ = world_.session();
    Watching journal_{filter_};
};

TEST_F(Ports, AreOpenWhileTheCaMayLookAndAtNoOtherTime) {
    issue();
    EXPECT_EQ(journal_.wrong, "");
    EXPECT_EQ(filter_.opened(), 1) << "one for all names";
    EXPECT_FALSE(filter_.isOpen(httpPort));
}

TEST_F(Ports, AreClosedWhereTheAuthorizationFails) {
    acme::WebrootSolver wrong("/tmp", 0, &port_);
    EXPECT_THROW(acme::issue(*session_, request_, {{wrong}}, journal_, {}), Error);
    EXPECT_EQ(filter_.opened(), 1);
    EXPECT_FALSE(filter_.isOpen(httpPort));
}

TEST_F(Ports, AreClosedByAStopAndTheOrderGoesOn) {
    journal_.stopping = true;
    EXPECT_EQ(failure().substr(0, 9), "cancelled");
    EXPECT_TRUE(world_.challengesLeft());
    EXPECT_FALSE(filter_.isOpen(httpPort));
    journal_.stop = std::stop_source();
    journal_.stopping = false;
    issue();
    EXPECT_EQ(journal_.wrong, "");
    EXPECT_FALSE(filter_.isOpen(httpPort));
    EXPECT_EQ(world_.ordersFor(*session_, request_), 1);
}

TEST_F(Ports, ThatStayShutSpendNoAttemptAndMakeWayForAnotherKind) {
    filter_.refusal = Error(ErrorKind::misconfigured, "port-not-opened", "there is no set: add one");
    const std::string said = failure();
    EXPECT_EQ(said.substr(0, said.find(':')), "challenge-not-presented");
    EXPECT_NE(said.find("http-01: there is no set: add one"), std::string::npos) << said;
    EXPECT_FALSE(world_.challengesLeft());
    filter_.refusal.reset();
    issue();
    EXPECT_EQ(world_.ordersFor(*session_, request_), 1);
}

}  // namespace
}  // namespace acme_test
