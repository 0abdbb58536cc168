#include "certmgr/engine/schedule.h"

#include <gtest/gtest.h>

namespace certmgr::engine {
namespace {

TimePoint at(int second) {
    return TimePoint(seconds(second));
}

TEST(Schedule, GivesWhatIsDueOnceAndInOrder) {
    Schedule schedule;
    schedule.set("later", at(30));
    schedule.set("b", at(10));
    schedule.set("a", at(20));
    EXPECT_EQ(schedule.next(), at(10));
    EXPECT_EQ(schedule.take(at(20)), (std::vector<std::string>{"b", "a"}));
    EXPECT_TRUE(schedule.take(at(20)).empty());
    EXPECT_EQ(schedule.next(), at(30));
}

TEST(Schedule, ANewTimeReplacesTheOldOneAndNoneTakesItAway) {
    Schedule schedule;
    schedule.set("a", at(10));
    schedule.set("a", at(40));
    EXPECT_TRUE(schedule.take(at(39)).empty());
    schedule.set("a", std::nullopt);
    EXPECT_FALSE(schedule.next());
}

}  // namespace
}  // namespace certmgr::engine
