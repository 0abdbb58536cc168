// Profiles (draft-ietf-acme-profiles): which one is asked for, and what an order without it is worth.
#include <gtest/gtest.h>

#include "certmgr/acme/issue.h"
#include "certmgr/acme/profile_choice.h"
#include "certmgr/core/error.h"
#include "tests/support/fake_acme.h"
#include "tests/support/fake_solver.h"
#include "tests/support/manual_clock.h"

namespace certmgr::acme {
namespace {

using Profiles = std::vector<std::string>;

std::string refusalOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "profile-not-offered");
        EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
        return error.what();
    }
    return "nothing was refused";
}

TEST(ChooseProfile, TakesTheOneThatIsWantedAndOffered) {
    for (const bool required : {false, true}) {
        const ProfileChoice choice = chooseProfile({"shortlived", required}, {"classic", "shortlived"});
        EXPECT_EQ(choice.profile, "shortlived");
        EXPECT_EQ(choice.reason, "");
    }
    EXPECT_EQ(chooseProfile({}, {"classic"}).profile, "");
}

TEST(ChooseProfile, SaysWhyThereIsNone) {
    const ProfileChoice choice = chooseProfile({"shortlived"}, {"classic", "tlsserver"});
    EXPECT_EQ(choice.profile, "");
    EXPECT_EQ(choice.reason,
              "the CA has no profile \"shortlived\": it offers \"classic\", \"tlsserver\"; ordered without a "
              "profile");
    EXPECT_EQ(chooseProfile({"shortlived"}, {}).reason,
              "the CA has no profile \"shortlived\": it offers none; ordered without a profile");
}

TEST(ChooseProfile, RefusesWhereItIsRequired) {
    const std::string words = refusalOf([] { chooseProfile({"shortlived", true}, {"classic"}); });
    EXPECT_NE(words.find("it offers \"classic\""), std::string::npos) << words;
    EXPECT_NE(words.find("nothing is ordered"), std::string::npos) << words;
}

struct Journal : OrderJournal {
    std::optional<std::string> orderUrl() override { return url; }
    bool newOrderWasSent() override { return sent; }
    bool isKnownOrder(const std::string&) override { return false; }
    void sendingNewOrder() override { sent = true; }
    void newOrderRefused() override { sent = false; }
    void orderLost(const std::string&) override {}
    void orderCreated(const std::string& order) override { url = order; }
    void orderAbandoned(const std::string&) override {}
    void activity(const std::string&) override {}
    std::optional<std::string> url;
    bool sent = false;
};

class ProfileTest : public testing::Test {
  protected:
    ProfileTest() { ca_.offerProfiles({{"classic", hours(24 * 90)}, {"shortlived", hours(160)}}); }

    Issued order(const AcmeProfile& profile) {
        const hal::Pkey key(EVP_EC_gen("P-256"));
        const std::vector<Identifier> names = parseIdentifiers({"gw.example"});
        return issue(session_, {names, crypto::buildCsr(*key, names), "", profile}, {{solver_}}, journal_,
                     {});
    }

    using hours = std::chrono::hours;
    testing_support::ManualClock clock_{TimePoint(seconds(1'800'000'037))};
    testing_support::FakeAcme ca_{clock_};
    testing_support::FakeAcme::Client http_{ca_};
    testing_support::FakeSolver solver_;
    Session session_{{"fake", testing_support::FakeAcme::directory, "", {}, true},
                     {},
                     hal::Pkey(EVP_EC_gen("P-256")),
                     http_};
    Journal journal_;
};

TEST_F(ProfileTest, IsNamedInTheOrder) {
    const Issued issued = order({"shortlived", true});
    EXPECT_EQ(ca_.profilesAsked(), Profiles{"shortlived"});
    EXPECT_EQ(issued.profile, "shortlived");
    EXPECT_EQ(issued.profileReason, "");
}

TEST_F(ProfileTest, ThatIsPreferredAndMissingIsDoneWithout) {
    const Issued issued = order({"tlsserver"});
    EXPECT_EQ(ca_.profilesAsked(), Profiles{""});
    EXPECT_EQ(issued.profile, "");
    EXPECT_NE(issued.profileReason.find("no profile \"tlsserver\""), std::string::npos);
}

TEST_F(ProfileTest, ThatIsRequiredAndMissingCostsNoOrder) {
    const std::string words = refusalOf([this] { order({"tlsserver", true}); });
    EXPECT_NE(words.find("\"classic\", \"shortlived\""), std::string::npos) << words;
    EXPECT_EQ(ca_.profilesAsked(), Profiles{});
    EXPECT_EQ(ca_.accountsMade(), 0);
    EXPECT_FALSE(journal_.sent);
}

TEST_F(ProfileTest, ThatIsPreferredAndRefusedIsDoneWithout) {
    ca_.setRefusingProfiles(true);
    const Issued issued = order({"shortlived"});
    EXPECT_EQ(ca_.profilesAsked(), (Profiles{"shortlived", ""}));
    EXPECT_NE(issued.profileReason.find("not for you"), std::string::npos) << issued.profileReason;
}

TEST_F(ProfileTest, ThatIsRequiredAndRefusedIsNotAskedForTwice) {
    ca_.setRefusingProfiles(true);
    const std::string words = refusalOf([this] { order({"shortlived", true}); });
    EXPECT_NE(words.find("not for you"), std::string::npos) << words;
    EXPECT_EQ(ca_.profilesAsked(), Profiles{"shortlived"});
    EXPECT_EQ(ca_.ordersMade(), 0);
    EXPECT_FALSE(journal_.sent) << "no order exists";
}

TEST_F(ProfileTest, ThatTheCaHasNowIsSeenWithoutARestart) {
    EXPECT_EQ(order({"tlsserver"}).profile, "");
    ca_.offerProfiles({{"tlsserver", hours(24 * 45)}});
    journal_ = {};
    EXPECT_EQ(order({"tlsserver"}).profile, "tlsserver");
}

TEST_F(ProfileTest, OfAnOrderThatIsGoneOnWithIsWhatTheCaSays) {
    ca_.loseNextOrder();
    EXPECT_THROW(order({"shortlived"}), Error);
    journal_.url = "https://acme.test/order/0";
    const Issued issued = order({"shortlived"});
    EXPECT_EQ(ca_.ordersMade(), 1);
    EXPECT_EQ(issued.profile, "shortlived");
    EXPECT_EQ(issued.profileReason, "");
}

}  // namespace
}  // namespace certmgr::acme
