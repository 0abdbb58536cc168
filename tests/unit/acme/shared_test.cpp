#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "certmgr/acme/nonce_pool.h"
#include "certmgr/acme/shared_value.h"
#include "certmgr/acme/waiting.h"

namespace certmgr::acme {
namespace {

TEST(NoncePool, IsBoundedAndGivesTheYoungest) {
    NoncePool pool;
    EXPECT_EQ(pool.take(), std::nullopt);
    for (int i = 0; i < 1000; ++i) pool.put(std::to_string(i));
    EXPECT_EQ(pool.take(), "999");
    int left = 0;
    while (pool.take()) ++left;
    EXPECT_EQ(left, 63);
}

TEST(NoncePool, IgnoresWhatIsNoBase64url) {
    EXPECT_EQ(NoncePool::nonceOf({200, {{"replay-nonce", "abc-_09"}}, ""}), "abc-_09");
    for (const std::string wrong : {"", "a b", "a=", "\"a\""})
        EXPECT_EQ(NoncePool::nonceOf({200, {{"replay-nonce", wrong}}, ""}), std::nullopt);
    EXPECT_EQ(NoncePool::nonceOf({200, {}, ""}), std::nullopt);
}

TEST(SharedValue, IsFetchedOnceForAll) {
    SharedValue<int> value;
    std::atomic<int> fetched{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i)
        threads.emplace_back([&] { EXPECT_EQ(value.get({}, [&] { return ++fetched, 7; }), 7); });
    threads.clear();
    EXPECT_EQ(fetched, 1);
    value.forget();
    EXPECT_EQ(value.get({}, [] { return 8; }), 8);
}

TEST(SharedValue, AFailureIsNotKept) {
    SharedValue<int> value;
    EXPECT_THROW(value.get({}, []() -> int { throw Error(ErrorKind::transient, "x", "x"); }), Error);
    EXPECT_EQ(value.get({}, [] { return 1; }), 1);
}

TEST(Polling, EndsWhenItIsStopped) {
    std::stop_source stop;
    stop.request_stop();
    Polling polling("the end", std::chrono::seconds(900), stop.get_token());
    polling.saw({200, {{"retry-after", "3000"}}, ""});
    EXPECT_THROW(polling.wait(), Error);
}

TEST(Polling, HoldsNoThreadForHours) {
    Polling polling("the end", std::chrono::seconds(900), {});
    polling.saw({200, {{"retry-after", "86400"}}, ""});
    try {
        polling.wait();
        FAIL() << "waited";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::rateLimited);
        EXPECT_TRUE(error.retryAt().has_value());
    }
}

}  // namespace
}  // namespace certmgr::acme
