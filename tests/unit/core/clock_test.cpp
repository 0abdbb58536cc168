#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "certmgr/core/system_clock.h"

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr TimePoint build{seconds{1'795'305'600}};  // 2026-11-22

TEST(FormatTime, isRfc3339) {
    EXPECT_EQ(formatTime(TimePoint{}), "1970-01-01T00:00:00Z");
    EXPECT_EQ(formatTime(build + hours(9) + minutes(8) + seconds(7)), "2026-11-22T09:08:07Z");
    EXPECT_EQ(formatTime(TimePoint(seconds(951'827'696))), "2000-02-29T12:34:56Z");
}

TEST(JudgeClock, believesNothingBeforeTheBuild) {
    const ClockTrust trust = judgeClock({build - seconds(1), build, TimePoint{}, true, false});
    EXPECT_FALSE(trust.trusted);
    EXPECT_NE(trust.reason.find("build date 2026-11-22"), std::string::npos) << trust.reason;
    EXPECT_TRUE(judgeClock({build, build, TimePoint{}, false, false}).trusted);
}

TEST(JudgeClock, believesTheTimeSeenUnlessSynchronised) {
    const TimePoint seen = build + hours(1000);
    EXPECT_FALSE(judgeClock({seen - minutes(6), build, seen, false, false}).trusted);
    EXPECT_TRUE(judgeClock({seen - minutes(4), build, seen, false, false}).trusted);
    EXPECT_TRUE(judgeClock({build + hours(1), build, seen, true, false}).trusted);
}

TEST(JudgeClock, asksForSynchronisationOnlyWhereTold) {
    EXPECT_FALSE(judgeClock({build + hours(1), build, build, false, true}).trusted);
    EXPECT_TRUE(judgeClock({build + hours(1), build, build, true, true}).trusted);
    EXPECT_TRUE(judgeClock({build + hours(1), build, build, false, false}).trusted);
}

TEST(SystemClock, isTheKernels) {
    SystemClock clock(TimePoint{}, false);
    EXPECT_GE(clock.now(), build);
    EXPECT_TRUE(clock.trust().trusted) << clock.trust().reason;
    const auto before = clock.sinceBoot();
    EXPECT_GT(before.count(), 0);
    EXPECT_LE(before, clock.sinceBoot());
}

// As systemd's filters do, for the calling thread: the kernel is not asked, and the answer is EPERM.
bool forbidAskingTheKernel() {
    constexpr std::uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
    std::array<sock_filter, 5> program{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_adjtimex, 1, 0),
                                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_adjtime, 0, 1),
                                        BPF_STMT(BPF_RET | BPF_K, refused),
                                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
    const sock_fprog filter{program.size(), program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

TEST(SystemClock, knowsLocalTimeInSummerAndWinterAlsoOfAZoneSetLater) {
    const SystemClock clock(TimePoint{}, false);
    const char* const before = std::getenv("TZ");
    const std::string zone = before ? before : "";
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    EXPECT_EQ(clock.utcOffset(build), hours(1));
    EXPECT_EQ(clock.utcOffset(build - hours(24 * 120)), hours(2));
    ::setenv("TZ", "NST3:30", 1);
    EXPECT_EQ(clock.utcOffset(build), -hours(3) - minutes(30));
    before ? ::setenv("TZ", zone.c_str(), 1) : ::unsetenv("TZ");
}

TEST(SystemClock, thatCannotAskTheKernelIsNotSynchronised) {
    const SystemClock clock(TimePoint{}, true);
    ClockTrust trust{true, ""};
    bool forbidden = false;
    std::thread([&] {
        forbidden = forbidAskingTheKernel();
        trust = clock.trust();
    }).join();
    ASSERT_TRUE(forbidden) << "the kernel takes no seccomp filter";
    EXPECT_FALSE(trust.trusted);
    EXPECT_NE(trust.reason.find("not synchronised"), std::string::npos) << trust.reason;
}

}  // namespace
}  // namespace certmgr
