// "replaces" in an order (RFC 9773 5), and a CA that does not take it.
#include "tests/unit/acme/order_fixture.h"

namespace certmgr::acme {
namespace {

class ReplacesTest : public OrderTest {
  protected:
    ReplacesTest() {
        ca_.suggestRenewal(RenewalWindow{clock_.now(), clock_.now() + seconds(1)});
        ca_.setListingOrders(true);
    }
    static constexpr const char* replaced_ = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    Issued replacing() { return order({}, {}, replaced_); }
    // As after a restored backup, which does not know of it.
    void placeAndForget() {
        ca_.loseNextOrder();
        EXPECT_THROW(replacing(), Error);
        journal_ = {};
        ca_.setRefusingReplaces("alreadyReplaced");
    }
};

TEST_F(ReplacesTest, TheOrderThatHasReplacedItAlreadyIsGoneOnWith) {
    placeAndForget();
    EXPECT_NE(replacing().chainPem, "");
    EXPECT_EQ(ca_.ordersMade(), 1);
}

TEST_F(ReplacesTest, ItsCertificateIsRecoveredWhereTheKeyIsOurs) {
    const std::string chain = replacing().chainPem;
    journal_ = {};
    ca_.setRefusingReplaces("alreadyReplaced");
    EXPECT_EQ(replacing().chainPem, chain);
    EXPECT_EQ(ca_.ordersMade(), 1);
}

TEST_F(ReplacesTest, ACertificateForAnotherKeyIsNot) {
    const std::string chain = replacing().chainPem;
    journal_ = {};
    key_ = hal::Pkey(EVP_EC_gen("P-256"));
    ca_.setRefusingReplaces("alreadyReplaced");
    EXPECT_NE(replacing().chainPem, chain);
    EXPECT_EQ(ca_.ordersMade(), 2);
    EXPECT_EQ(ca_.replaced().back(), "");
    EXPECT_EQ(journal_.shown, std::vector<std::string>{chain});
}

TEST_F(ReplacesTest, ACertificateForAnotherKeyOfOursIs) {
    const std::string chain = replacing().chainPem;
    journal_ = {};
    journal_.takesKeys = true;
    key_ = hal::Pkey(EVP_EC_gen("P-256"));
    ca_.setRefusingReplaces("alreadyReplaced");
    EXPECT_EQ(replacing().chainPem, chain);
    EXPECT_EQ(ca_.ordersMade(), 1);
}

TEST_F(ReplacesTest, AnOrderThatWasGivenUpIsFoundWithoutAListWhereItHasACertificate) {
    const std::string chain = replacing().chainPem;
    ca_.loseNextOrder();
    journal_ = {};
    EXPECT_THROW(replacing(), Error);  // the second order, which never gets to a certificate
    journal_ = {};
    journal_.givenUp = {testing_support::FakeAcme::orderUrl(1), testing_support::FakeAcme::orderUrl(0)};
    ca_.setListingOrders(false);
    ca_.setRefusingReplaces("alreadyReplaced");
    EXPECT_EQ(replacing().chainPem, chain);
    EXPECT_EQ(ca_.ordersMade(), 2);
}

TEST_F(ReplacesTest, ACaThatAsksToWaitIsNotAskedForAnotherAtOnce) {
    std::size_t asked = 0;
    for (const testing_support::FakeAcme::Refusal& refusal :
         {testing_support::FakeAcme::Refusal{"serverInternal", "busy", 503, 600},
          {"malformed", "busy", 503, 600},
          {"malformed", "later", 400, 600},
          {"unauthorized", "too many", 429},
          {"rateLimited", "too many", 403}}) {
        ca_.refuseOrders(refusal);
        EXPECT_THROW(replacing(), Error);
        EXPECT_EQ(ca_.profilesAsked().size(), ++asked) << refusal.problem << " " << refusal.status;
        EXPECT_FALSE(journal_.sent) << "it was refused";
    }
    ca_.refuseOrders({});
    EXPECT_NE(replacing().chainPem, "");
    EXPECT_EQ(ca_.replaced(), std::vector<std::string>{replaced_}) << "nobody has complained of that";
}

TEST_F(ReplacesTest, WhereTheServerFailsAtEverythingTheOrderIsLookedForAtTheNextAttempt) {
    ca_.setListingOrders(false);
    std::size_t asked = 0;
    for (const int status : {500, 503}) {
        ca_.refuseOrders({"serverInternal", "out of order", status});
        EXPECT_THROW(replacing(), Error);
        EXPECT_EQ(ca_.profilesAsked().size(), asked += (status == 500 ? 2 : 1)) << status;
        EXPECT_TRUE(journal_.sent) << "nobody knows";
    }
    ca_.refuseOrders({});
    EXPECT_NE(replacing().chainPem, "");
    EXPECT_EQ(ca_.replaced(), std::vector<std::string>{""});
}

}  // namespace
}  // namespace certmgr::acme
