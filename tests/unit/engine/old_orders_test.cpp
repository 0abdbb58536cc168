// Orders that do not come to their end: when they are given up, and when not.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using net::HttpResponse;
using std::chrono::hours;

constexpr const char* ordered = "gw.example.com";
const HttpResponse unreadable{200, {{"content-type", "application/pem-certificate-chain"}}, "perhaps"};
const HttpResponse busy{503, {{"retry-after", "7200"}}, ""};

class OldOrdersTest : public EngineTest {
  protected:
    static constexpr const char* certificate = "/order/0/certificate";
    void answerUntil(TimePoint time, const HttpResponse& answer) {
        ca.answerAt(certificate, answer);
        if (!engine) startEngine();
        runUntil(time);
    }
    void expectAfterwards(int orders) {
        runUntil(clock.now() + 4 * day);  // two attempts
        EXPECT_EQ(view(ordered).state, "acme") << view(ordered).lastError;
        EXPECT_EQ(ca.ordersMade(), orders);
        EXPECT_EQ(view(ordered).abandonedOrders, static_cast<std::uint64_t>(orders) - 1);
        EXPECT_TRUE(store::KeyRepository(*database).unreferenced().empty());
    }
};

TEST_F(OldOrdersTest, OneWhoseCertificateTheCaHasNoLongerIsGivenUpAtOnce) {
    answerUntil(start + hours(1), HttpResponse{404, {}, ""});
    EXPECT_EQ(view(ordered).state, "acme") << view(ordered).lastError;
    expectAfterwards(2);
}

TEST_F(OldOrdersTest, OneThatFailsForAWeekIsGivenUpThen) {
    answerUntil(start + 7 * day, unreadable);
    EXPECT_EQ(ca.ordersMade(), 1);
    EXPECT_EQ(view(ordered).abandonedOrders, 0U);
    EXPECT_EQ(view(ordered).state, "local");
    expectAfterwards(2);
}

TEST_F(OldOrdersTest, OneThatComesToItsEndWithinTheWeekIsKept) {
    answerUntil(start + 6 * day, unreadable);
    ca.answerAt(certificate, std::nullopt);
    expectAfterwards(1);
}

TEST_F(OldOrdersTest, OneThatTheCaHasWaitIsKept) {
    answerUntil(start + 20 * day, busy);
    ca.answerAt(certificate, std::nullopt);
    expectAfterwards(1);
}

TEST_F(OldOrdersTest, OneWhoseCaIsAwayIsKept) {
    answerUntil(start + hours(1), unreadable);
    ca.setDown(true);
    runUntil(start + 20 * day);
    ca.setDown(false);
    ca.answerAt(certificate, std::nullopt);
    expectAfterwards(1);
}

TEST_F(OldOrdersTest, TheWeekBeginsWhenItIsPlaced) {
    ca.setDown(true);
    startEngine();
    runUntil(start + 20 * day);
    ca.setDown(false);
    answerUntil(start + 25 * day, unreadable);
    EXPECT_EQ(ca.ordersMade(), 1);
    ca.answerAt(certificate, std::nullopt);
    expectAfterwards(1);
}

TEST_F(OldOrdersTest, AClockThatIsNotTrustedMakesNoneOld) {
    answerUntil(start + hours(1), unreadable);
    clock.distrust("it was never set");
    clock.advance(20 * day);
    engine->reissue(ordered);
    settle();
    clock.trustAgain();
    ca.answerAt(certificate, std::nullopt);
    expectAfterwards(1);
}

TEST_F(OldOrdersTest, OneThatTheCaHasNotTakenForNowIsNotLost) {
    ca.answerAt("/new-order", HttpResponse{429, {}, ""});
    ca.setListingOrders(true);  // which tells that the CA had none when it was busy
    startEngine();
    runUntil(start + hours(1));
    ca.answerAt("/new-order", busy);
    runUntil(start + hours(8));
    EXPECT_EQ(view(ordered).lostOrders, 0U);
    ca.answerAt("/new-order", std::nullopt);
    expectAfterwards(1);
    EXPECT_EQ(view(ordered).lostOrders, 0U);
}

}  // namespace
}  // namespace certmgr::engine
