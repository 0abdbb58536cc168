#include "certmgr/engine/shared_text.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace certmgr::engine {
namespace {

const std::string longText(100, 'x');

TEST(SharedText, ReadsAsTheTextThatItWasMadeOf) {
    const SharedText text = longText;
    EXPECT_EQ(text, longText);
    EXPECT_EQ(text, SharedText(longText.c_str()));
    EXPECT_NE(text, "y");
    EXPECT_FALSE(text.empty());
    EXPECT_TRUE(SharedText("").empty());
    EXPECT_EQ(SharedText(), "");
}

TEST(SharedText, HoldsEqualTextsOnce) {
    const SharedText one = longText;
    const SharedText other = std::string_view(longText);
    EXPECT_EQ(&one.str(), &other.str());
    EXPECT_NE(&one.str(), &SharedText(longText + "y").str());
}

TEST(SharedText, OutlivesTheOthersThatHaveIt) {
    SharedText last;
    {
        const SharedText first = longText;
        const SharedText copy = first;
        last = copy;
        last = SharedText(std::move(last));
    }
    EXPECT_EQ(last, longText);
    last = "another";
    EXPECT_EQ(last, "another");
}

// Views are made by workers and read by the main thread.
TEST(SharedText, IsHadByManyThreads) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([] {
            for (int round = 0; round < 2000; ++round) {
                const SharedText text = longText + std::to_string(round % 3);
                const SharedText copy = text;
                ASSERT_EQ(copy, longText + std::to_string(round % 3));
            }
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace certmgr::engine
