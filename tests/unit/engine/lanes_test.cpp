#include "certmgr/engine/lanes.h"

#include <atomic>
#include <semaphore>

#include <gtest/gtest.h>
#include <poll.h>

namespace certmgr::engine {
namespace {

class LanesTest : public testing::Test {
  protected:
    void pumpUntilIdle() {
        while (!lanes.idle()) {
            pollfd waiting{queue.fd(), POLLIN, 0};
            ASSERT_GT(::poll(&waiting, 1, 10'000), 0) << "nothing came back from the workers";
            queue.drain();
        }
    }

    MainQueue queue;
    Lanes lanes{queue};
    Workers workers{4};
};

TEST_F(LanesTest, RunsTheWorkThenItsEndOnTheMainThread) {
    const auto mainThread = std::this_thread::get_id();
    std::thread::id workThread, afterThread;
    lanes.run(
        "a", workers, [&](std::stop_token) { workThread = std::this_thread::get_id(); },
        [&](const auto&) { afterThread = std::this_thread::get_id(); });
    pumpUntilIdle();
    EXPECT_NE(workThread, mainThread);
    EXPECT_EQ(afterThread, mainThread);
}

TEST_F(LanesTest, OneLaneNeverRunsTwiceAtOnceAndRunsOnceMoreHoweverOftenAsked) {
    std::binary_semaphore release(0);
    std::atomic<int> inside = 0, runs = 0, most = 0;
    const auto ask = [&] {
        lanes.run(
            "a", workers,
            [&](std::stop_token) {
                most = std::max(most.load(), ++inside);
                if (++runs == 1) release.acquire();
                --inside;
            },
            [](const auto&) {});
    };
    for (int i = 0; i < 10; ++i) ask();
    release.release();
    pumpUntilIdle();
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(most, 1);
}

TEST_F(LanesTest, WhatTheWorkThrowsReachesItsEndAndTheNextWorkComesAfterThat) {
    std::string seen;
    lanes.run(
        "a", workers, [](std::stop_token) { throw Error(ErrorKind::internal, "disk-full", "no room"); },
        [&](const auto& failure) { seen += failure ? failure->code() : "fine"; });
    lanes.run(
        "a", workers, [](std::stop_token) { throw std::runtime_error("out of threads"); },
        [&](const auto& failure) { seen += std::string(", ") + (failure ? failure->what() : "fine"); });
    pumpUntilIdle();
    EXPECT_EQ(seen, "disk-full, a defect of certmgr: out of threads");
}

TEST_F(LanesTest, DifferentLanesRunSideBySide) {
    std::binary_semaphore first(0), second(0);
    lanes.run(
        "a", workers, [&](std::stop_token) { first.release(), second.acquire(); }, [](const auto&) {});
    lanes.run(
        "b", workers, [&](std::stop_token) { second.release(), first.acquire(); }, [](const auto&) {});
    pumpUntilIdle();
}

TEST_F(LanesTest, CancelReachesTheWorkAndDropsWhatWaitsBehindIt) {
    std::binary_semaphore started(0);
    std::atomic<int> runs = 0;
    const auto work = [&](std::stop_token stop) {
        ++runs;
        started.release();
        while (!stop.stop_requested()) std::this_thread::yield();
    };
    lanes.run("a", workers, work, [](const auto&) {});
    lanes.run("a", workers, work, [](const auto&) {});
    started.acquire();
    lanes.cancel("a");
    pumpUntilIdle();
    EXPECT_EQ(runs, 1);
}

TEST(Workers, RunEverythingWithFewThreads) {
    std::atomic<int> done = 0;
    std::counting_semaphore<> finished(0);
    Workers workers(3);
    for (int i = 0; i < 500; ++i) workers.run([&] { ++done, finished.release(); });
    for (int i = 0; i < 500; ++i) finished.acquire();
    EXPECT_EQ(done, 500);
}

TEST(Workers, EndWaitsForWhatRuns) {
    std::atomic<bool> ended = false;
    {
        std::binary_semaphore started(0);
        Workers workers(1);
        workers.run([&] {
            started.release();
            std::this_thread::yield();
            ended = true;
        });
        started.acquire();
    }
    EXPECT_TRUE(ended);
}

TEST(MainQueue, IsReadableWhileSomethingWaitsAndKeepsTheOrder) {
    MainQueue queue;
    std::vector<int> seen;
    queue.post([&] {
        seen.push_back(1);
        queue.post([&] { seen.push_back(3); });
    });
    queue.post([&] { seen.push_back(2); });
    pollfd waiting{queue.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, 0), 1);
    queue.drain();
    EXPECT_EQ(seen, (std::vector{1, 2, 3}));
    EXPECT_EQ(::poll(&waiting, 1, 0), 0);
}

}  // namespace
}  // namespace certmgr::engine
