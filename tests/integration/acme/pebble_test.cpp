#include <thread>

#include <gtest/gtest.h>

#include "certmgr/acme/session.h"
#include "tests/integration/acme/acme_world.h"
#include "tests/support/fake_solver.h"

namespace acme_test {
namespace {

using testing_support::PebbleServer;

TEST(Issue, GetsACertificateForSeveralNames) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"www.gw.example", "gw.example", "mail.gw.example"}, *key);
    MemoryJournal journal;
    expectCertificate(world.issue(*world.session(), request, journal), request, *key);
    EXPECT_TRUE(journal.url.has_value());
    EXPECT_FALSE(world.challengesLeft());
}

// What RFC 8555 needs for one name and a known account: newOrder, authorization, challenge, finalize,
// certificate, and polls of the authorization and of the order.
TEST(Issue, AsksNoMoreOfAWarmSessionThanTheRfcNeeds) {
    World world;
    const auto session = world.session();
    const hal::Pkey key(EVP_EC_gen("P-256"));
    MemoryJournal first;
    world.issue(*session, requestFor({"first.example"}, *key), first);

    const int rounds = 10;
    const int before = world.http.requests;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
        MemoryJournal journal;
        world.issue(*session, requestFor({"gw" + std::to_string(i) + ".example"}, *key), journal);
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    const int requests = world.http.requests - before;
    std::printf(
        "%d ms and %.1f requests an issuance\n",
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count() / rounds),
        static_cast<double>(requests) / rounds);
    EXPECT_GE(requests, 7 * rounds);
    EXPECT_LE(requests, 10 * rounds);
}

TEST(Issue, UsesOneAccountFromManyThreads) {
    World world;
    const auto session = world.session();
    const hal::Pkey key(EVP_EC_gen("P-256"));
    std::vector<std::jthread> threads;
    std::atomic<int> issued{0};
    constexpr int many = 8;  // Debian's Pebble can lock up from 16 at once on
    for (int i = 0; i < many; ++i)
        threads.emplace_back([&, i] {
            MemoryJournal journal;
            const acme::Request request = requestFor({"gw" + std::to_string(i) + ".example"}, *key);
            EXPECT_NO_THROW(expectCertificate(world.issue(*session, request, journal), request, *key)) << i;
            ++issued;
        });
    threads.clear();
    EXPECT_EQ(issued, many);
    EXPECT_EQ(world.account.registrations, 1);
    EXPECT_FALSE(world.challengesLeft());
}

TEST(Issue, SurvivesAServerThatRejectsMostNonces) {
    for (const int percent : {50, 90}) {
        World world({.nonceReject = percent});
        const hal::Pkey key(EVP_EC_gen("P-256"));
        const acme::Request request = requestFor({"gw.example"}, *key);
        MemoryJournal journal;
        expectCertificate(world.issue(*world.session(), request, journal), request, *key);
    }
}

TEST(Issue, TakesAuthorizationsThatAreValidAlready) {
    World world({.authzReuse = 100});
    const auto session = world.session();
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example", "www.gw.example"}, *key);
    for (int i = 0; i < 2; ++i) {
        MemoryJournal journal;
        expectCertificate(world.issue(*session, request, journal), request, *key);
    }
}

TEST(Issue, WaitsForASlowValidation) {
    World world({.sleep = true, .environment = {{"PEBBLE_VA_SLEEPTIME", "2"}}});
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example", "www.gw.example"}, *key);
    MemoryJournal journal;
    expectCertificate(world.issue(*world.session(), request, journal), request, *key);
}

TEST(Issue, StopsSoonAndCanBeGoneOnWith) {
    World world({.sleep = true, .environment = {{"PEBBLE_VA_SLEEPTIME", "3"}}});
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example"}, *key);
    std::stop_source stop;
    struct StopOnWait : MemoryJournal {
        std::stop_source& source;
        explicit StopOnWait(std::stop_source& s) : source(s) {}
        void activity(const std::string& sentence) override {
            if (sentence.starts_with("waiting for the authorization")) source.request_stop();
        }
    } stopping(stop);
    const auto session = world.session();
    try {
        world.issue(*session, request, stopping, stop.get_token());
        FAIL() << "was not stopped";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "cancelled") << error.what();
    }
    // The CA may be asking for it now, and the order shall live.
    EXPECT_TRUE(world.challengesLeft());
    MemoryJournal journal;
    journal.url = stopping.url;
    expectCertificate(world.issue(*session, request, journal), request, *key);
    EXPECT_FALSE(world.challengesLeft());
    EXPECT_EQ(world.ordersFor(*session, request), 1);
}

TEST(Account, IsFoundAgainByItsKey) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    MemoryJournal first, second, third;
    world.issue(*world.session(), requestFor({"a.example"}, *key), first);
    const std::string url = world.account.url.value();

    world.account.url.reset();  // lost
    world.issue(*world.session(), requestFor({"b.example"}, *key), second);
    EXPECT_EQ(world.account.url, url);

    world.account.url =
        world.pebble.directory().substr(0, world.pebble.directory().size() - 3) + "my-account/nobody";
    world.issue(*world.session(), requestFor({"c.example"}, *key), third);
    EXPECT_EQ(world.account.url, url);
}

TEST(Account, IsToldOfOtherContacts) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    MemoryJournal first, second;
    world.issue(*world.session(), requestFor({"a.example"}, *key), first);

    world.account.contacts = {"mailto:new@gw.example", "mailto:other@gw.example"};
    world.account.contactsChanged = true;
    const auto session = world.session();
    world.issue(*session, requestFor({"b.example"}, *key), second);
    EXPECT_EQ(world.account.registrations, 2) << "it is stored that they were sent";
    acme::Session::Impl& server = session->impl();
    const std::string account = server.post(server.accountUrl({}), "", "the test", {}).body;
    EXPECT_NE(account.find("mailto:new@gw.example"), std::string::npos) << account;
    EXPECT_NE(account.find("mailto:other@gw.example"), std::string::npos) << account;
    EXPECT_EQ(account.find("mailto:a@gw.example"), std::string::npos) << account;
}

TEST(Account, ThatIsGoneIsMadeAnewWithTheOtherContacts) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    MemoryJournal journal;
    const std::string& directory = world.pebble.directory();
    world.account.url = directory.substr(0, directory.size() - 3) + "my-account/nobody";
    world.account.contactsChanged = true;
    const acme::Request request = requestFor({"a.example"}, *key);
    expectCertificate(world.issue(*world.session(), request, journal), request, *key);
}

TEST(Account, NeedsTheTermsToBeAgreedTo) {
    World world;
    acme::CaSettings ca = world.ca();
    ca.termsAgreed = false;
    acme::Session session(ca, {KeyId::fresh(), std::nullopt, nullptr}, copyOf(world.account.key.get()),
                          world.http);
    const hal::Pkey key(EVP_EC_gen("P-256"));
    MemoryJournal journal;
    try {
        world.issue(session, requestFor({"gw.example"}, *key), journal);
        FAIL() << "registered without consent";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
        EXPECT_EQ(error.code(), "terms-not-agreed");
        EXPECT_NE(std::string(error.what()).find("data:text/plain"), std::string::npos) << error.what();
    }
    EXPECT_FALSE(journal.sent);
}

// Nobody answers the challenge: the CA's words come through, and the token does not.
TEST(Issue, NamesTheIdentifierThatFailed) {
    World world;
    testing_support::FakeSolver solver;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"a.example", "b.example"}, *key);
    const auto session = world.session();
    MemoryJournal journal;
    try {
        acme::issue(*session, request, {{solver}}, journal, {});
        FAIL() << "issued without proof";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::rejected);
        EXPECT_NE(std::string(error.what()).find(".example: "), std::string::npos) << error.what();
        EXPECT_FALSE(error.problem().empty());
        for (const acme::Proof& proof : solver.presented) {
            EXPECT_EQ(std::string(error.what()).find(proof.token), std::string::npos);
            EXPECT_EQ(error.problem().find(proof.token), std::string::npos);
        }
    }
    EXPECT_EQ(solver.removed.size(), 2u);
    EXPECT_FALSE(journal.abandoned.empty());

    // An intent that was abandoned at the server is abandoned again, in words, when it is entered once more.
    EXPECT_THROW(world.issue(*session, request, journal), Error);
}

// RFC 8738: Pebble asks for http://127.0.0.1/, and the certificate has the address as such.
TEST(Issue, GetsACertificateForAnAddress) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    acme::Request request;
    request.names = {{Identifier::Type::dns, "gw.example"}, {Identifier::Type::ip, "127.0.0.1"}};
    request.csr = crypto::buildCsr(*key, crypto::publicKeyInfoOf(*key), request.names);
    MemoryJournal journal;
    expectCertificate(world.issue(*world.session(), request, journal), request, *key);
    EXPECT_FALSE(world.challengesLeft());
}

// A CA that looked now would fail it for good: the order is kept for the next attempt instead.
TEST(Issue, DoesNotSpendAnAttemptOnWhatCannotBeSeen) {
    World world;
    testing_support::FakeSolver unseen;
    unseen.invisible = acme::Solver::Missing{"ns2 to have the record", true};
    const hal::Pkey key(EVP_EC_gen("P-256"));
    const acme::Request request = requestFor({"gw.example"}, *key);
    const auto session = world.session();
    MemoryJournal journal;
    try {
        acme::issue(*session, request, {{unseen}}, journal, {});
        FAIL() << "the CA was asked";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::transient);
        EXPECT_EQ(error.code(), "challenge-not-visible");
        EXPECT_NE(std::string(error.what()).find("ns2 to have the record"), std::string::npos)
            << error.what();
    }
    EXPECT_EQ(unseen.removed.size(), 1u);
    expectCertificate(world.issue(*session, request, journal), request, *key);
    EXPECT_EQ(world.ordersFor(*session, request), 1);
}

TEST(Issue, ReportsARefusedOrderAsSuch) {
    World world;
    const hal::Pkey key(EVP_EC_gen("P-256"));
    acme::Request request = requestFor({"gw.example"}, *key);
    request.names = {{Identifier::Type::dns, "not a name"}};
    MemoryJournal journal;
    EXPECT_THROW(world.issue(*world.session(), request, journal), Error);
    EXPECT_FALSE(journal.sent);
    EXPECT_EQ(journal.lost, 0);
}

}  // namespace
}  // namespace acme_test
