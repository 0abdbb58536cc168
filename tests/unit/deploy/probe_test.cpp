#include "certmgr/deploy/probe.h"

#include <gtest/gtest.h>

#include "certmgr/core/error.h"

namespace certmgr::deploy {
namespace {

const Identifier wildcard{Identifier::Type::dns, "*.gw.example"};
const Identifier host{Identifier::Type::dns, "gw.example"};

TEST(ServerName, IsTheFirstThatIsNoWildcard) {
    EXPECT_EQ(serverNameFor({wildcard, host}), host);
}

TEST(ServerName, BelowAWildcardIsAHostThatItCovers) {
    const Identifier name = serverNameFor({wildcard});
    EXPECT_FALSE(name.wildcard());
    EXPECT_TRUE(covers(wildcard, name)) << name.value;
}

TEST(ServerName, IsNotThereWithoutNames) {
    EXPECT_THROW(serverNameFor({}), Error);
}

TEST(Shortfall, IsEmptyForTheWholeChainInAnyOrderAndWithTheRoot) {
    EXPECT_EQ(shortfall({true, "", {"leaf", "a", "b"}}, {"leaf", "a", "b"}), "");
    EXPECT_EQ(shortfall({true, "", {"leaf", "b", "a", "root"}}, {"leaf", "a", "b"}), "");
}

TEST(Shortfall, SaysWhatIsWrong) {
    EXPECT_EQ(shortfall({false, "Connection refused", {}}, {"leaf"}), "nothing answers: Connection refused");
    EXPECT_EQ(shortfall({true, "bad signature", {"leaf"}}, {"leaf"}), "the handshake fails: bad signature");
    EXPECT_EQ(shortfall({true, "", {"old", "a"}}, {"leaf", "a"}),
              "the certificate old is served, expected leaf");
    EXPECT_EQ(shortfall({true, "", {"leaf", "a"}}, {"leaf", "a", "b"}),
              "the certificate leaf is served without 1 of its 2 intermediate certificates");
    EXPECT_EQ(shortfall({true, "", {"a", "leaf"}}, {"leaf", "a"}),
              "the certificate a is served, expected leaf");
    EXPECT_EQ(shortfall({true, "", {}}, {"leaf"}), "no certificate is served");
}

}  // namespace
}  // namespace certmgr::deploy
