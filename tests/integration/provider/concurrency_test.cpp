// Threads, forks, unloading, and a keyd that is away.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/client/reference.h"
#include "tests/integration/provider/key_daemon.h"
#include "tests/integration/provider/openssl_service.h"

namespace provider_test {
namespace {

using hal::KeyAlgorithm;

class ProviderConcurrency : public testing::Test {
  protected:
    bool signs(const hal::Pkey& key) const {
        const Octets signature = sign(service_, key, "message");
        return !signature.empty() && verify(service_, key, "message", signature);
    }
    // What a child made by fork() finds, at once and a second time.
    bool signsInAChild(const hal::Pkey& key) const {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(signs(key) && signs(key) ? 0 : 1);
        int status = -1;
        return ::waitpid(child, &status, 0) == child && status == 0;
    }

    KeyDaemon daemon_;
    OpensslService service_;
};

TEST_F(ProviderConcurrency, ThreadsSignWithAllKeysAtOnce) {
    const std::string ec = daemon_.makeReference(KeyAlgorithm::ecP256);
    const hal::Pkey shared = service_.load(ec);
    const hal::Pkey rsa = service_.load(daemon_.makeReference(KeyAlgorithm::rsa2048));
    const hal::Pkey file = service_.makeFileKey("EC");
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < 25; ++round)
                    good += signs(shared) + signs(rsa) + signs(file) + signs(service_.load(ec));
            });
    }
    EXPECT_EQ(good, 8 * 25 * 4) << takeErrors();
}

TEST_F(ProviderConcurrency, ForkedChildrenAndTheirParentSignInTurn) {
    const hal::Pkey key = service_.load(daemon_.makeReference(KeyAlgorithm::ecP256));
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(signs(key)) << takeErrors();  // leaves a connection that the child must not use
        EXPECT_TRUE(signsInAChild(key));
    }
}

#ifndef __SANITIZE_ADDRESS__  // whose allocator, unlike glibc's, stays locked in a child forked beside busy
                              // threads
TEST_F(ProviderConcurrency, ForkedChildrenSignBesideTheirBusyParent) {
    const hal::Pkey key = service_.load(daemon_.makeReference(KeyAlgorithm::ecP256));
    std::atomic<bool> stop = false;
    std::atomic<int> failures = 0;
    std::jthread parent([&] {
        while (!stop) failures += !signs(key);
    });
    for (int i = 0; i < 20; ++i) failures += !signsInAChild(key);
    stop = true;
    parent.join();
    EXPECT_EQ(failures, 0);
}
#endif

TEST_F(ProviderConcurrency, ARestartOfKeydFailsNoSignature) {
    const hal::Pkey key = service_.load(daemon_.makeReference(KeyAlgorithm::ecP256));
    std::atomic<bool> stop = false;
    std::atomic<int> good = 0;
    std::atomic<int> failures = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            while (!stop) ++(signs(key) ? good : failures);
        });
    for (int i = 0; i < 3; ++i) {
        const int before = good;
        daemon_.restart();
        testing_support::waitUntil("signatures go on", [&] { return good > before + 20; });
    }
    stop = true;
    threads.clear();
    EXPECT_EQ(failures, 0) << takeErrors();
}

TEST_F(ProviderConcurrency, ADeadKeydIsAnErrorWithASentence) {
    const std::string reference = daemon_.makeReference(KeyAlgorithm::ecP256);
    const hal::Pkey key = service_.load(reference);
    ASSERT_TRUE(signs(key));
    daemon_.server().kill();
    EXPECT_TRUE(sign(service_, key, "message").empty());
    EXPECT_NE(takeErrors().find("cannot be reached"), std::string::npos);
    EXPECT_TRUE(service_.load(reference)) << "loading needs no keyd: " << takeErrors();
    daemon_.server().start();
    EXPECT_TRUE(signs(key)) << takeErrors();
}

TEST_F(ProviderConcurrency, AnUnknownKeyIsAnErrorWithASentence) {
    hal::KeyReference reference = hal::keyReferenceFromPem(daemon_.makeReference(KeyAlgorithm::ecP256));
    reference.id = hal::KeyId::fresh();
    EXPECT_TRUE(sign(service_, service_.load(hal::toPem(reference)), "message").empty());
    EXPECT_NE(takeErrors().find(reference.id.text()), std::string::npos);
}

TEST_F(ProviderConcurrency, IsUnloadedAndLoadedAgain) {
    const std::string reference = daemon_.makeReference(KeyAlgorithm::ecP256);
    for (int i = 0; i < 10; ++i) {
        const OpensslService passing;
        const hal::Pkey key = passing.load(reference);
        EXPECT_FALSE(sign(passing, key, "message").empty()) << takeErrors();
    }
}

TEST(ProviderModule, LeavesTheProcessWhenItIsUnloaded) {
    const auto mapped = [] {
        return testing_support::readFile("/proc/self/maps").find("/certmgr.so") != std::string::npos;
    };
    {
        const OpensslService passing;
        EXPECT_TRUE(mapped());
    }
    EXPECT_FALSE(mapped());
}

}  // namespace
}  // namespace provider_test
