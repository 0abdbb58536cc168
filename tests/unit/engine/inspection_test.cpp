// The CA of a proxy that looks into TLS: local like no other certificate.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

class InspectionTest : public EngineTest {
  protected:
    InspectionTest() { profile.certificates.front().usage = Usage::inspectionCa; }

    Credential inForce() { return Records(*database).credentials.current("gw.example.com").value(); }
};

TEST_F(InspectionTest, IsSignedByTheRootAndNeverOrdered) {
    startEngine();
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_EQ(inForce().issuerId, "root-1");
    EXPECT_EQ(X509_get_pathlen(crypto::parseChainPem(inForce().chainPem).front().get()), 0);
    EXPECT_NE(view("gw.example.com").reason.str().find("only the box's own root"), std::string::npos);
    EXPECT_EQ(ca.ordersMade(), 0);
    const std::int64_t before = inForce().generation;
    runUntil(start + std::chrono::days(300));
    EXPECT_EQ(inForce().generation, before) << "it lasts as long as an issuing CA";
    engine->reissue("gw.example.com");
    settle();
    EXPECT_GT(inForce().generation, before);
    EXPECT_EQ(ca.ordersMade(), 0);
}

TEST_F(InspectionTest, FollowsItsRootAndIsChainedToTheOneBefore) {
    startEngine();
    engine->reissueAuthority();
    settle();
    EXPECT_EQ(inForce().issuerId, "root-2");
    EXPECT_EQ(crypto::parseChainPem(inForce().chainPem).size(), 2U) << "root-2 as signed by root-1";
    EXPECT_EQ(view("gw.example.com").proof, "proved");
}

TEST_F(InspectionTest, TakesThePlaceOfALeafAndTheOtherWayRound) {
    settings.cas.clear();
    for (const Usage usage : {Usage::server, Usage::inspectionCa, Usage::server}) {
        profile.certificates.front().usage = usage;
        startEngine();
        const auto certificate = std::move(crypto::parseChainPem(inForce().chainPem).front());
        EXPECT_EQ(X509_check_ca(certificate.get()), usage == Usage::inspectionCa ? 1 : 0);
        EXPECT_EQ(view("gw.example.com").proof, "proved");
    }
}

TEST_F(InspectionTest, ComesAgainWithTheRootWhoseKeyWasLost) {
    startEngine();
    const AuthorityRecord root = Records(*database).authorities.newest(AuthorityRole::root).value();
    keys.destroy(root.key);
    startEngine();
    engine->review();
    settle();
    EXPECT_EQ(inForce().issuerId, "root-2");
}

}  // namespace
}  // namespace certmgr::engine
