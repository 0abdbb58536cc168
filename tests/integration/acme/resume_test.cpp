#include <gtest/gtest.h>

#include "tests/integration/acme/acme_world.h"
#include "tests/support/https_server.h"

namespace acme_test {
namespace {

using testing_support::HttpsServer;

// The process dies at step N, for every N, before the step is stored and after it; the next one goes on with
// what was stored.
TEST(Resume, AfterACrashAtAnyStepThereIsOneOrder) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    int crashes = 0;
    for (const bool before : {true, false}) {
        for (int step = 0;; ++step) {
            const acme::Request request =
                requestFor({"s" + std::to_string(step) + (before ? "b" : "a") + ".example"}, *key);
            MemoryJournal journal;
            journal.crashAt = step;
            journal.crashBefore = before;
            bool crashed = false;
            std::string chain;
            try {
                chain = world.issue(*world.session(), request, journal);
            } catch (const Crash&) {
                crashed = true;
                ++crashes;
                journal.crashAt = -1;
                chain = world.issue(*world.session(), request, journal);
            }
            expectCertificate(chain, request, *key);
            EXPECT_EQ(world.ordersFor(*world.session(), request), 1) << "crash at step " << step;
            EXPECT_FALSE(world.challengesLeft());
            if (!crashed) break;
        }
    }
    EXPECT_GE(crashes, 10);
}

std::string noSuchThing() {
    return testing_support::httpAnswer(404, "application/problem+json",
                                       R"({"type":"urn:ietf:params:acme:error:malformed","detail":"none"})");
}

// A proxy in front of Pebble passes newOrder on and cuts the connection before the answer.
class LossyProxy {
  public:
    explicit LossyProxy(World& world)
        : port_(world.pebble.port()),
          server_(world.pebble.tlsFiles(), [this](const std::string& request) { return answer(request); }) {}
    std::string directory() const { return server_.url("/dir"); }
    std::atomic<int> answersToLose{1};
    std::atomic<bool> listKept{true};
    std::string answerForOrders;  // that were there before the next newOrder; empty: Pebble's own
    std::atomic<int> morePages{0};

  private:
    static bool isFor(const std::string& request, const char* resource) {
        return request.find(resource) < request.find("\r\n");
    }
    std::string answer(const std::string& request) {
        if (!listKept && isFor(request, "/list-orderz/")) return noSuchThing();
        if (isFor(request, "/list-orderz/") && morePages > 0 && morePages-- > 0)
            return testing_support::httpAnswer(
                200, "application/json", R"({"orders":[]})",
                "Link: <" + server_.url("/list-orderz/1") + ">;rel=\"next\"\r\n");
        if (isFor(request, "/order-plz")) answerForOrders.clear();
        if (isFor(request, "/my-order/") && !answerForOrders.empty()) return answerForOrders;
        const std::string reply = testing_support::forwardTo(port_, request);
        const bool newOrder = isFor(request, "/order-plz") && reply.find(" 201 ") < 20;
        return newOrder && answersToLose-- > 0 ? "" : reply;
    }
    const std::uint16_t port_;
    HttpsServer server_;
};

TEST(Resume, FindsTheOrderWhoseAnswerWasLost) {
    World world;
    LossyProxy proxy(world);
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example", "www.gw.example"}, *key);
    const auto session = world.session(world.http, proxy.directory());
    MemoryJournal journal;
    try {
        world.issue(*session, request, journal);
        FAIL() << "the answer was not lost";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::transient) << error.what();
    }
    EXPECT_TRUE(journal.sent);
    EXPECT_FALSE(journal.url.has_value());

    expectCertificate(world.issue(*session, request, journal), request, *key);
    EXPECT_EQ(journal.lost, 0);
    EXPECT_EQ(world.ordersFor(*session, request), 1);
}

TEST(Resume, OrdersOfOtherIntentsAreLeftAlone) {
    World world;
    LossyProxy proxy(world);
    proxy.answersToLose = 0;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const hal::Pkey otherKey(EVP_EC_gen("P-256"));
    const acme::Request earlier = requestFor({"gw.example"}, *otherKey);
    const acme::Request request = requestFor({"gw.example"}, *key);
    const auto session = world.session(world.http, proxy.directory());
    MemoryJournal finished;
    world.issue(*session, earlier, finished);  // valid, for the same name, and with another key

    MemoryJournal journal;
    journal.sent = true;  // and the server never saw it
    expectCertificate(world.issue(*session, request, journal), request, *key);
    EXPECT_NE(journal.url, finished.url);
    EXPECT_EQ(journal.lost, 0);
    EXPECT_EQ(world.ordersFor(*session, request), 2);
}

TEST(Resume, WithoutAListTheLostOrderIsOnRecord) {
    World world;
    LossyProxy proxy(world);
    proxy.listKept = false;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example"}, *key);
    const auto session = world.session(world.http, proxy.directory());
    MemoryJournal journal;
    EXPECT_THROW(world.issue(*session, request, journal), Error);
    expectCertificate(world.issue(*session, request, journal), request, *key);
    EXPECT_EQ(journal.lost, 1);
}

TEST(Resume, AnOrderThatCannotBeReadIsPassedOver) {
    using testing_support::httpAnswer;
    for (const std::string& unreadable :
         {noSuchThing(), httpAnswer(500, "text/html", "oops"), httpAnswer(200, "application/json", "{}")}) {
        World world;
        LossyProxy proxy(world);
        const hal::Pkey key(EVP_EC_gen("P-256"));
        const acme::Request request = requestFor({"gw.example"}, *key);
        const auto session = world.session(world.http, proxy.directory());
        MemoryJournal journal;
        EXPECT_THROW(world.issue(*session, request, journal), Error);
        proxy.answerForOrders = unreadable;
        expectCertificate(world.issue(*session, request, journal), request, *key);
        EXPECT_EQ(journal.lost, 1) << unreadable;
    }
}

TEST(Resume, AListWithoutAnEndIsLeftOff) {
    World world;
    LossyProxy proxy(world);
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example"}, *key);
    const auto session = world.session(world.http, proxy.directory());
    MemoryJournal journal;
    EXPECT_THROW(world.issue(*session, request, journal), Error);
    proxy.morePages = 1000;
    expectCertificate(world.issue(*session, request, journal), request, *key);
    EXPECT_GT(proxy.morePages, 900);
    EXPECT_EQ(journal.lost, 1);
}

}  // namespace
}  // namespace acme_test
