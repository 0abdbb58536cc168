#include "certmgr/acme/choice.h"

#include <gtest/gtest.h>

#include "certmgr/core/error.h"
#include "tests/support/fake_solver.h"

namespace certmgr::acme {
namespace {

using testing_support::FakeSolver;
using wire::Authorization;

class ChooseChallenge : public testing::Test {
  protected:
    static Authorization offering(const std::vector<std::string>& kinds,
                                  const std::string& name = "gw.example") {
        Authorization authorization;
        authorization.identifier = {Identifier::Type::dns, name};
        for (const std::string& kind : kinds)
            authorization.challenges.push_back({kind, "https://ca/" + kind, "pending", "token-" + kind, ""});
        return authorization;
    }
    Solvers all(int failures = 0) { return {{http_, alpn_, dns_}, failures}; }
    static Choice choose(const Authorization& authorization, const Solvers& solvers) {
        return chooseChallenge(authorization, solvers, "https://ca/account/1");
    }
    Error refusal(const Authorization& authorization, const Solvers& solvers) {
        try {
            choose(authorization, solvers);
        } catch (const Error& error) {
            return error;
        }
        return Error(ErrorKind::internal, "none", "chosen");
    }

    const std::vector<std::string> everything_{"dns-01", "tls-alpn-01", "http-01", "dns-account-01"};
    FakeSolver http_{ChallengeKind::http01};
    FakeSolver alpn_{ChallengeKind::tlsAlpn01};
    FakeSolver dns_{ChallengeKind::dns01};
};

TEST_F(ChooseChallenge, takesTheFirstOfTheConfiguredOrder) {
    const Authorization authorization = offering(everything_);
    const Choice choice = choose(authorization, all());
    EXPECT_EQ(choice.solver, &http_);
    EXPECT_EQ(choice.challenge->url, "https://ca/http-01");
    EXPECT_EQ(choice.reason, "proving gw.example by http-01");
    EXPECT_EQ(choose(authorization, {{dns_, http_}, 0}).solver, &dns_);
}

TEST_F(ChooseChallenge, passesOverWhatCannotProveIt) {
    Authorization wildcard = offering(everything_);
    wildcard.wildcard = true;
    const Choice choice = choose(wildcard, all());
    EXPECT_EQ(choice.solver, &dns_);
    EXPECT_EQ(choice.reason,
              "proving *.gw.example by dns-01: http-01 cannot prove a wildcard (RFC 8555 8.3), "
              "tls-alpn-01 cannot prove a wildcard (RFC 8737 3)");

    Authorization address = offering(everything_);
    address.identifier = {Identifier::Type::ip, "192.0.2.1"};
    EXPECT_EQ(choose(address, {{dns_, alpn_}, 0}).solver, &alpn_);
    EXPECT_EQ(choose(offering({"dns-01"}), all()).solver, &dns_);

    http_.out = "has no responder";
    EXPECT_EQ(choose(offering(everything_), all()).reason,
              "proving gw.example by tls-alpn-01: http-01 has no responder");
}

TEST_F(ChooseChallenge, theSolverInTurnIsKnownBeforeTheCaIsAsked) {
    EXPECT_EQ(solverInTurn(parseIdentifier("gw.example"), all(), {}), &http_);
    EXPECT_EQ(solverInTurn(parseIdentifier("gw.example"), all(1), {}), &alpn_);
    EXPECT_EQ(solverInTurn(parseIdentifier("*.gw.example"), all(), {}), &dns_);
    EXPECT_EQ(solverInTurn(parseIdentifier("192.0.2.1"), {{dns_}, 0}, {}), nullptr);
    http_.out = "has no responder";
    EXPECT_EQ(solverInTurn(parseIdentifier("gw.example"), all(), {}), &alpn_);
    EXPECT_EQ(whyKindsAreOut(parseIdentifier("gw.example"), all(), {}), "http-01 has no responder");
    EXPECT_EQ(whyKindsAreOut(parseIdentifier("192.0.2.1"), {{alpn_, dns_}, 0}, {}),
              "dns-01 cannot prove an address (RFC 8738 7)");
}

TEST_F(ChooseChallenge, aSolverLearnsHowTheCaIsNamedAndNamesUs) {
    FakeSolver persist(ChallengeKind::dnsPersist01);
    Authorization authorization = offering({"dns-persist-01", "dns-01"});
    wire::Challenge& offered = authorization.challenges.at(0);
    offered.token.clear();
    offered.issuers = {"ca.example", "ca.example.net"};
    EXPECT_EQ(choose(authorization, {{persist, dns_}, 0}).solver, &persist);
    EXPECT_EQ(persist.asked.issuers, offered.issuers);
    EXPECT_EQ(persist.asked.account, "https://ca/account/1");
    offered.account = "https://ca/account/by-another-name";
    choose(authorization, {{persist}, 0});
    EXPECT_EQ(persist.asked.account, offered.account);
    solverInTurn(parseIdentifier("gw.example"), {{persist}, 0}, {"https://ca/account/2", {"ca.example"}});
    EXPECT_EQ(persist.asked.account, "https://ca/account/2");
}

TEST_F(ChooseChallenge, aMalformedChallengeMakesWayForTheNext) {
    FakeSolver persist(ChallengeKind::dnsPersist01);
    Authorization authorization = offering({"dns-persist-01", "dns-01"});
    authorization.challenges.at(0).flaw = "is offered without a name";
    const Choice choice = choose(authorization, {{persist, dns_}, 0});
    EXPECT_EQ(choice.solver, &dns_);
    EXPECT_EQ(choice.reason, "proving gw.example by dns-01: dns-persist-01 is offered without a name");
}

TEST_F(ChooseChallenge, eachFailureMakesWayForTheNext) {
    const Authorization authorization = offering({"http-01", "dns-01"});
    EXPECT_EQ(choose(authorization, all(1)).solver, &dns_);
    EXPECT_EQ(choose(authorization, all(1)).reason,
              "proving gw.example by dns-01: the attempt by http-01 failed");
    EXPECT_EQ(choose(authorization, all(2)).solver, &http_) << "it comes back";
    EXPECT_EQ(choose(offering({"http-01"}), all(1)).solver, &http_) << "there is no other";
}

TEST_F(ChooseChallenge, goesOnWithWhatWasAnsweredAlready) {
    Authorization authorization = offering({"http-01", "dns-01"});
    authorization.challenges.at(1).status = "processing";
    EXPECT_EQ(choose(authorization, all()).solver, &dns_);
}

TEST_F(ChooseChallenge, saysWhyNoneFits) {
    dns_.out = "has no zone for it";
    const Error error = refusal(offering({"dns-01", "dns-account-01"}), all());
    EXPECT_EQ(error.kind(), ErrorKind::rejected);
    EXPECT_EQ(error.code(), "no-usable-challenge");
    EXPECT_STREQ(
        error.what(),
        "no challenge can prove gw.example: the CA offers dns-01, dns-account-01; set up here: http-01 "
        "is not offered by the CA, tls-alpn-01 is not offered by the CA, dns-01 has no zone for it");
    EXPECT_EQ(refusal(offering({}), {}).code(), "no-usable-challenge");
}

TEST_F(ChooseChallenge, aServerThatCannotBeAskedIsNoRefusal) {
    dns_.trouble = Error(ErrorKind::transient, "dns-unreachable", "cannot ask ns1");
    const Authorization authorization = offering({"http-01", "dns-01"});
    EXPECT_EQ(choose(authorization, {{dns_, http_}, 0}).solver, &http_);
    EXPECT_EQ(refusal(authorization, {{dns_}, 0}).kind(), ErrorKind::transient);
}

TEST(ChallengeFailed, whereAnotherKindMayDoBetter) {
    EXPECT_TRUE(challengeFailed("authorization-failed"));
    EXPECT_TRUE(challengeFailed("preflight-caa")) << "RFC 8657: a record may allow some kinds only";
    EXPECT_FALSE(challengeFailed("rate-limited"));
}

TEST_F(ChooseChallenge, beginsWithWhatProvedItBefore) {
    const Authorization authorization = offering(everything_);
    Solvers solvers = all();
    EXPECT_EQ(choose(authorization, solvers).preferred, std::nullopt) << "the others were not asked";
    solvers.first = ChallengeKind::dns01;
    const Choice choice = choose(authorization, solvers);
    EXPECT_EQ(choice.solver, &dns_);
    EXPECT_EQ(choice.preferred, false);
    EXPECT_EQ(choice.reason, "proving gw.example by dns-01, which proved it before");
    solvers.failures = 1;
    EXPECT_EQ(choose(authorization, solvers).reason,
              "proving gw.example by http-01: the attempt by dns-01 failed");
    EXPECT_EQ(choose(authorization, solvers).preferred, true);
    solvers = {{http_, alpn_}, 0, ChallengeKind::dns01};
    EXPECT_EQ(choose(authorization, solvers).solver, &http_) << "that is not set up any more";
    solvers = {{http_}, 1};
    EXPECT_EQ(choose(authorization, solvers).preferred, std::nullopt) << "there is no other";
}

}  // namespace
}  // namespace certmgr::acme
