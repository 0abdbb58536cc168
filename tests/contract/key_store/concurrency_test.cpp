// Threads and forked children that sign at once, with more keys than a TPM has slots.
#include <atomic>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/contract/key_store/environment.h"

namespace contract {
namespace {

using hal::Hash;
using hal::SignatureScheme;

class Concurrency : public KeyStoreContract {
  protected:
    std::vector<hal::KeyInfo> makeKeys() {
        std::vector<hal::KeyInfo> made;
        for (int i = 0; i < 4; ++i) made.push_back(keys().make(request()));
        made.push_back(keys().make(request(hal::KeyAlgorithm::rsa2048)));
        return made;
    }

    bool signsWell(const hal::KeyInfo& info, const std::string& text) {
        const bool rsa = info.algorithm == hal::KeyAlgorithm::rsa2048;
        const SignatureScheme scheme = rsa ? SignatureScheme::rsaPss : SignatureScheme::ecdsa;
        const hal::Bytes input = digest(Hash::sha256, text);
        return verifies(info.publicKey, scheme, Hash::sha256, input,
                        keys().sign(info.id, scheme, Hash::sha256, input));
    }

    // How many of `count` signatures, with the keys in turn, do not verify or fail.
    int failures(const std::vector<hal::KeyInfo>& infos, unsigned int seed, int count) {
        int failed = 0;
        for (int i = 0; i < count; ++i) {
            const std::string text = std::to_string(seed) + "/" + std::to_string(i);
            try {
                failed += !signsWell(infos[(seed + static_cast<unsigned int>(i)) % infos.size()], text);
            } catch (const std::exception&) {
                ++failed;
            }
        }
        return failed;
    }
};

INSTANTIATE_TEST_SUITE_P(Stores, Concurrency,
                         testing::Values(Store::memory, Store::file, Store::sealed, Store::sealedBehindAbrmd,
                                         Store::tpm, Store::tpmBehindAbrmd),
                         [](const auto& tested) { return nameOf(tested.param); });

TEST_P(Concurrency, EightThreadsSignWithFiveKeys) {
    const std::vector<hal::KeyInfo> infos = makeKeys();
    std::atomic<int> failed = 0;
    std::vector<std::thread> threads;
    for (unsigned int i = 0; i < 8; ++i) threads.emplace_back([&, i] { failed += failures(infos, i, 25); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
}

TEST_P(Concurrency, ForkedChildrenSignBesideTheirParent) {
    const std::vector<hal::KeyInfo> infos = makeKeys();
    EXPECT_EQ(failures(infos, 0, 5), 0);  // the parent has connections that a child must not use
    std::vector<pid_t> children;
    for (unsigned int i = 0; i < 4; ++i) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(failures(infos, i, 15));
        children.push_back(child);
    }
    EXPECT_EQ(failures(infos, 9, 15), 0);
    for (const pid_t child : children) {
        int status = -1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
}

TEST_P(Concurrency, OneOfManyWithTheSameIdWins) {
    const hal::KeyRequest asked = request();
    std::atomic<int> made = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i)
        threads.emplace_back([&] {
            const std::string code = codeOf([&] { keys().make(asked); });
            if (code.empty()) ++made;
            if (code == "key-exists") ++refused;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    EXPECT_EQ(refused, 5);
}

}  // namespace
}  // namespace contract
