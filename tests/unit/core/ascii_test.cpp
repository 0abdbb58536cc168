#include "certmgr/core/ascii.h"

#include <gtest/gtest.h>

namespace certmgr {
namespace {

TEST(Trimmed, IsWithoutBlanksAtItsEnds) {
    EXPECT_EQ(trimmed(" \t a \t b\t "), "a \t b");
    EXPECT_EQ(trimmed("ab"), "ab");
    EXPECT_EQ(trimmed(" \t "), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Trimmed, LeavesWhatIsNoBlankHere) {
    EXPECT_EQ(trimmed("\r\na\r\n"), "\r\na\r\n");
    EXPECT_EQ(trimmed(" a \r\n", " \t\r\n"), "a");
    EXPECT_EQ(trimmed("\ta ", " "), "\ta");
}

}  // namespace
}  // namespace certmgr
