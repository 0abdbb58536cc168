#include "certmgr/engine/shared_reading.h"

#include <semaphore>

#include <gtest/gtest.h>
#include <poll.h>

namespace certmgr::engine {
namespace {

struct Figure {
    int value = 0;
    std::optional<Error> failure;
};

class SharedReadingTest : public testing::Test {
  protected:
    // A reading that lasts until it is let go.
    void ask() {
        reading.ask(
            lanes, workers, [this](const Figure& found) { answers.push_back(found.value); },
            [this](Figure& found) {
                held.acquire();
                found.value = ++readings;
            });
    }
    void letGo() {
        held.release();
        while (!lanes.idle()) {
            pollfd waiting{queue.fd(), POLLIN, 0};
            ASSERT_GT(::poll(&waiting, 1, 10'000), 0) << "nothing came back from the workers";
            queue.drain();
        }
    }
    std::string refusalOfFigure() {
        try {
            ask();
        } catch (const Error& error) {
            return error.code() + ": " + error.what();
        }
        return "none";
    }

    std::binary_semaphore held{0};
    int readings = 0;
    std::vector<int> answers;
    SharedReading<Figure> reading{"figure", "the figure", 3};
    MainQueue queue;
    Lanes lanes{queue};
    Workers workers{2};
};

TEST_F(SharedReadingTest, OneIsForAllWhoWaitAndTheNextOneIsAnother) {
    for (int i = 0; i < 3; ++i) ask();
    letGo();
    EXPECT_EQ(answers, (std::vector<int>{1, 1, 1}));
    ask();
    letGo();
    EXPECT_EQ(answers.back(), 2);
}

TEST_F(SharedReadingTest, NoMoreWaitThanMay) {
    for (int i = 0; i < 3; ++i) ask();
    EXPECT_EQ(refusalOfFigure(), "busy: too many ask for the figure; ask again");
    letGo();
    EXPECT_EQ(answers.size(), 3U);
}

TEST_F(SharedReadingTest, AfterAStopNobodyMayAskAndWhoWaitsIsAnswered) {
    ask();
    reading.stop();
    EXPECT_EQ(refusalOfFigure(), "busy: too many ask for the figure; ask again");
    letGo();
    EXPECT_EQ(answers, std::vector<int>{1});
}

TEST_F(SharedReadingTest, WhatItThrowsIsForAllWhoWaitToo) {
    std::string seen;
    const auto reply = [&](const Figure& found) {
        seen += found.failure ? found.failure->code() + " " : "-";
    };
    const auto fail = [this](Figure&) {
        held.acquire();
        throw Error(ErrorKind::internal, "disk-full", "no room");
    };
    reading.ask(lanes, workers, reply, fail);
    reading.ask(lanes, workers, reply, fail);
    letGo();
    EXPECT_EQ(seen, "disk-full disk-full ");
}

}  // namespace
}  // namespace certmgr::engine
