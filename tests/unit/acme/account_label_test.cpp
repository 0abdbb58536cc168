#include "certmgr/acme/solvers/account_label.h"

#include <gtest/gtest.h>

namespace certmgr::acme {
namespace {

TEST(AccountLabel, isTheOneOfTheDraft) {
    EXPECT_EQ(accountLabel("https://example.com/acme/acct/ExampleAccount"), "_ujmmovf2vn55tgye");
}

// By Python: "_" + base64.b32encode(hashlib.sha256(url).digest()[:10]).lower()
TEST(AccountLabel, isAnotherOneForEveryAccount) {
    EXPECT_EQ(accountLabel("https://example.com/acme/acct/1"), "_vrr7uudrklshxb6l");
}

}  // namespace
}  // namespace certmgr::acme
