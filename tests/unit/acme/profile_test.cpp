// Profiles (draft-ietf-acme-profiles): which one is asked for, and what an order without it is worth.
#include "certmgr/acme/profile_choice.h"
#include "tests/unit/acme/order_fixture.h"

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

using std::chrono::hours;

class ProfileTest : public OrderTest {
  protected:
    ProfileTest() { ca_.offerProfiles({{"classic", hours(24 * 90)}, {"shortlived", hours(160)}}); }
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
