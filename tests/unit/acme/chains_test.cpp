// The chains that a CA gives for one certificate (RFC 8555 7.4.2): what is asked for, and what is taken.
#include "certmgr/crypto/x509.h"
#include "tests/unit/acme/order_fixture.h"

namespace certmgr::acme {
namespace {

using std::chrono::hours;

class ChainsTest : public OrderTest {
  protected:
    Issued orderedFor(const std::string& preferred) { return order({}, {preferred, "", clock_.now()}); }
    static std::string rootOf(const Issued& issued) {
        return crypto::chainLinks(issued.chainPem).back().issuerCommonName;
    }
    const TimePoint late_ = clock_.now() + hours(24 * 3650);
};

TEST_F(ChainsTest, TheOthersAreNotAskedForWhereTheFirstWillDo) {
    ca_.giveChains({{"Old Root", late_}, {"New Root", late_}});
    EXPECT_EQ(rootOf(orderedFor("")), "Old Root");
    journal_ = {};
    EXPECT_EQ(rootOf(orderedFor("Old Root")), "Old Root");
    EXPECT_EQ(ca_.chainsAsked(), 2);
}

TEST_F(ChainsTest, TheOneThatIsPreferredIsTaken) {
    ca_.giveChains({{"Old Root", late_}, {"Middle Root", late_}, {"New Root", late_}});
    const Issued issued = orderedFor("New Root");
    EXPECT_EQ(rootOf(issued), "New Root");
    EXPECT_EQ(issued.chainReason, "alternate chain 2 of the CA, to \"New Root\", which is preferred");
    EXPECT_EQ(ca_.chainsAsked(), 3);
}

TEST_F(ChainsTest, OneThatHasEndedIsNotTakenAlsoWhereItIsPreferred) {
    ca_.giveChains({{"Old Root", clock_.now() - hours(1)}, {"New Root", late_}});
    EXPECT_EQ(rootOf(orderedFor("Old Root")), "New Root");
}

TEST_F(ChainsTest, AllThatHaveEndedAreRefusedAndTheOrderIsKept) {
    ca_.giveChains({{"Old Root", clock_.now() - hours(1)}, {"New Root", clock_.now() - hours(2)}});
    try {
        orderedFor("");
        ADD_FAILURE() << "a chain that has ended was taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "chain-expired");
        EXPECT_EQ(error.kind(), ErrorKind::transient);
        EXPECT_NE(std::string(error.what()).find("no chain of the CA is valid now"), std::string::npos);
    }
    ca_.giveChains({{"New Root", late_}});
    EXPECT_EQ(rootOf(orderedFor("")), "New Root");
    EXPECT_EQ(ca_.ordersMade(), 1);
}

TEST_F(ChainsTest, OneThatCannotBeHadIsLeftOutAndSaid) {
    ca_.giveChains({{"Old Root", late_}, {"", late_}, {"New Root", late_}});
    const Issued issued = orderedFor("New Root");
    EXPECT_EQ(rootOf(issued), "New Root");
    EXPECT_NE(issued.chainReason.find("another chain cannot be had"), std::string::npos)
        << issued.chainReason;
}

TEST_F(ChainsTest, OneOfAnotherCertificateIsLeftOut) {
    ca_.giveChains({{"Old Root", late_}, {"New Root", late_}});
    ca_.setMixingCertificates(true);
    const Issued issued = orderedFor("New Root");
    EXPECT_EQ(rootOf(issued), "Old Root");
    EXPECT_NE(issued.chainReason.find("for another certificate"), std::string::npos) << issued.chainReason;
}

}  // namespace
}  // namespace certmgr::acme
