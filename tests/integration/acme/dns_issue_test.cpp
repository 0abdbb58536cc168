// Whole orders by dns-01: Pebble asks the real name server that the solver has told.
#include <gtest/gtest.h>

#include "certmgr/acme/choice.h"
#include "certmgr/acme/solvers/dns_solver.h"
#include "tests/integration/acme/acme_world.h"
#include "tests/support/fake_solver.h"
#include "tests/support/knot_server.h"

namespace acme_test {
namespace {

using testing_support::KnotServers;
using testing_support::TemporaryDirectory;

class DnsIssue : public testing::Test {
  protected:
    std::string issue(const acme::Request& request, const acme::Solvers& solvers) {
        journal_ = {};
        return acme::issue(*session_, request, solvers, journal_, {}).chainPem;
    }
    bool told(const std::string& activity) const {
        return std::ranges::find(journal_.activities, activity) != journal_.activities.end();
    }
    void expectNothingLeft() {
        for (const char* owner :
             {"_acme-challenge.gw.example", "_acme-challenge.www.gw.example", "away.proofs.example"})
            EXPECT_TRUE(knot_.proofsAt(owner).empty()) << owner;
        EXPECT_TRUE(std::filesystem::is_empty(records_.path()));
        EXPECT_FALSE(world_.challengesLeft());
    }

    KnotServers knot_;
    World world_{{.dnsPort = knot_.port()}};
    TemporaryDirectory records_;
    acme::DnsSolver dns_{certmgr::ChallengeKind::dns01, knot_.table(), knot_.primary(), records_.path()};
    std::unique_ptr<acme::Session> session_ = world_.session();
    const hal::Pkey key_{EVP_EC_gen("P-256")};
    MemoryJournal journal_;
};

TEST_F(DnsIssue, GetsACertificateForAWildcardAndItsDomain) {
    const acme::Request request = requestFor({"*.gw.example", "gw.example", "www.gw.example"}, *key_);
    expectCertificate(issue(request, {{dns_}}), request, *key_);
    EXPECT_TRUE(told("proving *.gw.example by dns-01"));
    expectNothingLeft();
}

TEST_F(DnsIssue, ProvesEachNameByWhatFitsIt) {
    const acme::Request request = requestFor({"*.gw.example", "www.gw.example"}, *key_);
    expectCertificate(issue(request, {{world_.responder.solver(), dns_}}), request, *key_);
    EXPECT_TRUE(told("proving www.gw.example by http-01"));
    EXPECT_TRUE(told("proving *.gw.example by dns-01: http-01 cannot prove a wildcard (RFC 8555 8.3)"));
    expectNothingLeft();
}

TEST_F(DnsIssue, AKindThatFailedMakesWayForTheNext) {
    const TemporaryDirectory unserved;
    acme::WebrootSolver http(unserved.path());
    const acme::Request request = requestFor({"gw.example"}, *key_);
    std::string code;
    try {
        issue(request, {{http, dns_}});
    } catch (const Error& error) {
        code = error.code();
    }
    ASSERT_TRUE(acme::challengeFailed(code)) << code;
    expectCertificate(issue(request, {{http, dns_}, 1}), request, *key_);
    EXPECT_TRUE(told("proving gw.example by dns-01: the attempt by http-01 failed"));
    expectNothingLeft();
}

// The run that goes on with the order removes what the one before presented, whichever kind it uses itself.
TEST_F(DnsIssue, RemovesTheRecordOfARunThatCrashed) {
    const acme::Request request = requestFor({"gw.example"}, *key_);
    struct Dying : testing_support::FakeSolver {
        explicit Dying(acme::Solver& real) : FakeSolver(ChallengeKind::dns01), solver(real) {}
        void present(const acme::Proof& proof) override {
            solver.present(proof);
            throw Crash();
        }
        acme::Solver& solver;
    } dying(dns_);
    EXPECT_THROW(issue(request, {{dying}}), Crash);
    ASSERT_EQ(knot_.proofsAt("_acme-challenge.gw.example").size(), 1u);
    expectCertificate(
        acme::issue(*world_.session(), request, {{world_.responder.solver(), dns_}}, journal_, {}).chainPem,
        request, *key_);
    EXPECT_TRUE(told("proving gw.example by http-01"));
    expectNothingLeft();
}

TEST_F(DnsIssue, ANameServerThatIsAwayKeepsTheOrder) {
    const acme::Request request = requestFor({"gw.example"}, *key_);
    knot_.stopPrimary();
    try {
        issue(request, {{dns_}});
        FAIL() << "issued";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::transient) << error.what();
    }
    knot_.startPrimary();
    expectCertificate(acme::issue(*session_, request, {{dns_}}, journal_, {}).chainPem, request, *key_);
    EXPECT_EQ(world_.ordersFor(*session_, request), 1);
    expectNothingLeft();
}

}  // namespace
}  // namespace acme_test
