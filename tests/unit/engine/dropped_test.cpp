// Certificates that a profile asked for, and asks for no more.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;

class DroppedTest : public EngineTest {
  protected:
    DroppedTest() { take(); }

    void take() { profile.certificates.push_back(specFor("mail.example.com")); }
    void drop() {
        profile.certificates.pop_back();
        startEngine();
    }
    bool known() const { return views->certificates().contains("mail.example.com"); }
    std::size_t keysOfOne() {
        startEngine();
        return keys.list().size();
    }
};

TEST_F(DroppedTest, ALocalCertificateGoesWithItsProfile) {
    settings.acmeEnabled = false;
    profile.certificates.pop_back();
    const std::size_t before = keysOfOne();
    take();
    service.reset();
    startEngine();
    EXPECT_TRUE(generations.active("web", "mail.example.com"));
    drop();
    EXPECT_FALSE(known());
    EXPECT_EQ(keys.list().size(), before);
    EXPECT_FALSE(std::filesystem::exists(folder / "live/web/mail.example.com"));
    EXPECT_FALSE(store::DeploymentRepository(*database).find("web", "mail.example.com"));
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_TRUE(log.contains("no profile asks for it any more"));
}

TEST_F(DroppedTest, TheCertificateOfACaStaysToItsEndAndIsNotRenewed) {
    startEngine();
    const std::string leaf = view("mail.example.com").sha256;
    drop();
    ASSERT_TRUE(known());
    EXPECT_EQ(view("mail.example.com").sha256, leaf);
    EXPECT_FALSE(std::filesystem::exists(folder / "live/web/mail.example.com")) << "no service reads it";
    const int orders = ca.ordersMade();
    runUntil(start + hours(24 * 85));
    EXPECT_EQ(ca.ordersMade(), orders + 1) << "only the other one is renewed";
    EXPECT_EQ(view("mail.example.com").sha256, leaf);
    runUntil(start + hours(24 * 91));
    startEngine();
    EXPECT_FALSE(known());
    EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty());
}

TEST_F(DroppedTest, AProfileThatComesBackFindsItsCertificate) {
    startEngine();
    const std::string leaf = view("mail.example.com").sha256;
    drop();
    take();
    startEngine();
    EXPECT_EQ(view("mail.example.com").sha256, leaf);
    EXPECT_EQ(view("mail.example.com").proof, "proved");
    EXPECT_EQ(ca.ordersMade(), 2);
}

TEST_F(DroppedTest, WhatWasRequestedStays) {
    settings.acmeEnabled = false;
    profile.certificates.pop_back();
    startEngine();
    engine->request({{"mail.example.com"}, "", "", true});
    settle();
    take();
    service.reset();
    startEngine();
    EXPECT_EQ(view("mail.example.com").services.size(), 1u);
    drop();
    EXPECT_TRUE(known());
    runUntil(start + hours(24 * 365));
    startEngine();
    EXPECT_TRUE(known());
}

TEST_F(DroppedTest, OnAClockThatIsNotTrustedNothingIsDeleted) {
    settings.acmeEnabled = false;
    startEngine();
    clock.distrust("not synchronised");
    drop();
    EXPECT_TRUE(known());
    clock.trustAgain();
    startEngine();
    EXPECT_FALSE(known());
}

}  // namespace
}  // namespace certmgr::engine
