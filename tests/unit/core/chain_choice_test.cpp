#include "certmgr/core/chain_choice.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

using std::chrono::hours;

constexpr TimePoint judgedAt{seconds{1'800'000'037}};
constexpr hours oneDay{24};
const std::string fingerprint(64, 'a');

// Leaf, issuing CA, and the certificate of a root by another, older root; `end`: of the last one.
ChainLinks chainTo(const std::string& root, TimePoint end = judgedAt + 3650 * oneDay) {
    return {{"gw.example", "Issuing 1", "CN=Issuing 1", std::string(64, '1'), judgedAt - oneDay,
             judgedAt + 90 * oneDay},
            {"Issuing 1", "Root X", "CN=Root X", std::string(64, '2'), judgedAt - oneDay,
             judgedAt + 3650 * oneDay},
            {"Root X", root, "CN=" + root, fingerprint, judgedAt - oneDay, end}};
}

ChainChoice choose(const std::vector<ChainLinks>& chains, const std::string& preferred,
                   const std::string& rootSubject = "") {
    return chooseChain(chains, {preferred, rootSubject, judgedAt});
}

TEST(PreferredChain, IsANameOrAFingerprint) {
    EXPECT_EQ(preferredChainFrom("ISRG Root X1"), "ISRG Root X1");
    EXPECT_EQ(preferredChainFrom(std::string(64, 'A')), fingerprint);
    std::string colons;
    for (int i = 0; i < 32; ++i) colons += i == 0 ? "Aa" : ":aA";
    EXPECT_EQ(preferredChainFrom(colons), fingerprint);
    EXPECT_EQ(preferredChainFrom(""), std::nullopt);
    EXPECT_EQ(preferredChainFrom("two\nlines"), std::nullopt);
    EXPECT_EQ(preferredChainFrom(std::string(129, 'x')), std::nullopt);
}

TEST(GoodEnough, MeansThatNoOtherIsAskedFor) {
    EXPECT_TRUE(goodEnough(chainTo("Old"), {"", "", judgedAt}));
    EXPECT_TRUE(goodEnough(chainTo("Old"), {"Old", "", judgedAt}));
    EXPECT_FALSE(goodEnough(chainTo("Old"), {"New", "", judgedAt}));
    EXPECT_FALSE(goodEnough(chainTo("Old", judgedAt), {"", "", judgedAt}));
    EXPECT_FALSE(goodEnough(chainTo("Old", judgedAt + 89 * oneDay), {"", "", judgedAt}))
        << "it ends before the leaf";
}

TEST(ChooseChain, IsTheFirstWithoutAWish) {
    const ChainChoice choice = choose({chainTo("Old"), chainTo("New")}, "");
    EXPECT_EQ(choice.index, 0u);
    EXPECT_EQ(choice.reason, "the first chain of the CA, to \"Old\"");
}

TEST(ChooseChain, FollowsTheWishByNameAndByFingerprint) {
    std::vector<ChainLinks> chains{chainTo("Old"), chainTo("New")};
    EXPECT_EQ(choose(chains, "New").reason, "alternate chain 1 of the CA, to \"New\", which is preferred");
    EXPECT_EQ(choose(chains, "Issuing 1").index, 0u) << "both have it";
    EXPECT_EQ(choose(chains, "gw.example").index, 0u) << "the leaf is in all of them";
    chains[0].back().sha256 = std::string(64, 'b');
    EXPECT_EQ(choose(chains, fingerprint).index, 1u) << "of a certificate in the chain";
    EXPECT_EQ(choose(chains, std::string(64, 'c'), "CN=New").index, 1u) << "of a root that the box trusts";
    EXPECT_EQ(choose(chains, "Nobody").index, 0u);
    EXPECT_EQ(choose(chains, "Nobody").reason,
              "the first chain of the CA, to \"Old\"; none leads to \"Nobody\", which is preferred");
}

TEST(ChooseChain, EndsAtTheRootThatIsWanted) {
    const ChainLinks across = chainTo("Old");
    const ChainLinks straight{across[0], across[1]};
    EXPECT_FALSE(goodEnough(across, {"Root X", "", judgedAt})) << "it leads on from there";
    EXPECT_TRUE(goodEnough(straight, {"Root X", "", judgedAt}));
    EXPECT_EQ(choose({across, straight}, "Root X").index, 1u);
    EXPECT_EQ(choose({across}, "Root X").reason, "the first chain of the CA, to \"Old\", which is preferred");
}

TEST(ChooseChain, IsNeverOneWithACertificateThatIsNotValid) {
    const ChainChoice choice = choose({chainTo("Old", judgedAt), chainTo("New")}, "Old");
    EXPECT_EQ(choice.index, 1u) << "also where it is preferred";
    EXPECT_EQ(choice.reason,
              "alternate chain 1 of the CA, to \"New\"; the preferred one, to \"Old\", is left out: in "
              "it \"Root X\" ended " +
                  formatTime(judgedAt));
    EXPECT_EQ(
        choose({chainTo("Old", judgedAt), chainTo("New")}, "").reason,
        "alternate chain 1 of the CA, to \"New\"; in the first \"Root X\" ended " + formatTime(judgedAt));
    ChainLinks future = chainTo("Old");
    future[1].notBefore = judgedAt + hours(1);
    EXPECT_EQ(choose({future, chainTo("New")}, "Old").index, 1u);
}

TEST(ChooseChain, PrefersOneWhoseCertificatesOutliveTheLeaf) {
    const ChainLinks early = chainTo("Old", judgedAt + 30 * oneDay);
    EXPECT_EQ(choose({early, chainTo("New")}, "").index, 1u);
    EXPECT_EQ(choose({early, chainTo("New")}, "Old").index, 1u);
    const ChainChoice only = choose({early}, "Old");
    EXPECT_EQ(only.index, 0u) << "it is valid, and the only one";
    EXPECT_NE(only.reason.find("before the certificate, and there is no better one"), std::string::npos)
        << only.reason;
}

TEST(ChooseChain, IsNoneWhereAllHaveEnded) {
    const ChainChoice choice = choose({chainTo("Old", judgedAt), chainTo("New", judgedAt - oneDay)}, "New");
    EXPECT_EQ(choice.index, std::nullopt);
    EXPECT_NE(choice.reason.find("no chain of the CA is valid now; in the one to \"Old\" \"Root X\" ended"),
              std::string::npos)
        << choice.reason;
    EXPECT_EQ(choose({}, "").index, std::nullopt);
}

TEST(ChooseChain, JudgesNoDatesOnAClockThatIsNotTrusted) {
    const ChainLinks ended = chainTo("Old", judgedAt - oneDay);
    EXPECT_EQ(chooseChain({ended}, {"", "", std::nullopt}).index, 0u);
}

}  // namespace
}  // namespace certmgr
