#include "certmgr/acme/revocation.h"

#include <gtest/gtest.h>

#include "tests/integration/acme/acme_world.h"

namespace acme_test {
namespace {

// A certificate of Pebble, and what becomes of it.
class Revoking : public testing::Test {
  protected:
    void SetUp() override {
        MemoryJournal journal;
        const std::string chain = world_.issue(*world_.session(), requestFor({"gw.example"}, *key_), journal);
        certificate_ = crypto::toDer(*crypto::parseChainPem(chain).front());
    }

    // "": revoked; else the error's code and words.
    std::string revoke(RevocationReason reason, bool withKey) {
        try {
            acme::revoke(*world_.session(),
                         {certificate_, reason, withKey ? copyOf(key_.get()) : hal::Pkey()}, {});
            return "";
        } catch (const Error& error) {
            return error.code() + " " + error.what();
        }
    }
    // The account is lost: whoever asks now is somebody else to the CA.
    void becomeAnotherAccount() {
        world_.account.key = hal::Pkey(EVP_EC_gen("P-256"));
        world_.account.url.reset();
    }

    World world_;
    hal::Pkey key_{EVP_EC_gen("P-256")};
    hal::Bytes certificate_;
};

TEST_F(Revoking, theAccountRevokesWhatItOrderedAndASecondTimeIsDoneToo) {
    EXPECT_EQ(revoke(RevocationReason::superseded, false), "");
    EXPECT_EQ(revoke(RevocationReason::superseded, false), "");
}

TEST_F(Revoking, aCompromisedKeySignsForItself) {
    EXPECT_EQ(revoke(RevocationReason::keyCompromise, true), "");
    EXPECT_EQ(world_.account.registrations, 1);  // that of the order
}

TEST_F(Revoking, theKeyTakesOverWhereTheAccountHasNoRightToIt) {
    becomeAnotherAccount();
    const std::string refused = revoke(RevocationReason::cessationOfOperation, false);
    EXPECT_NE(refused.find("unauthorized"), std::string::npos) << refused;
    EXPECT_EQ(revoke(RevocationReason::cessationOfOperation, true), "");
    EXPECT_EQ(revoke(RevocationReason::cessationOfOperation, true), "");
}

TEST_F(Revoking, theAccountTakesOverWhereTheKeyIsNotTheCertificates) {
    key_ = hal::Pkey(EVP_EC_gen("P-256"));
    EXPECT_EQ(revoke(RevocationReason::keyCompromise, true), "");
}

}  // namespace
}  // namespace acme_test
