// A real nginx with several workers, and keys in a TPM, in keyd's files and in a file of its own side by
// side.
#include <csignal>
#include <memory>

#include <gtest/gtest.h>

#include "tests/integration/provider/key_daemon.h"
#include "tests/integration/provider/tls_client.h"
#include "tests/integration/provider/tls_site.h"

namespace provider_test {
namespace {

using hal::KeyAlgorithm;
using hal::KeyPolicy;
using testing_support::waitUntil;

const std::vector<std::string> worker{"www-data"};

struct Box {
    Box() {
        addReference("tpm-ec.example", KeyAlgorithm::ecP256, KeyPolicy::tpm);
        addReference("tpm-rsa.example", KeyAlgorithm::rsa2048, KeyPolicy::tpm);
        addReference("file-ec.example", KeyAlgorithm::ecP384, KeyPolicy::file);
        addReference("file-rsa.example", KeyAlgorithm::rsa2048, KeyPolicy::file);
        add("plain-ec.example", writePrivateKey(OpensslService().makeFileKey("EC")));
        add("plain-rsa.example", writePrivateKey(OpensslService().makeFileKey("RSA")));
        site.start();
    }
    void addReference(const std::string& name, KeyAlgorithm algorithm, KeyPolicy policy) {
        add(name, daemon.makeReference(algorithm, policy, worker));
    }
    void add(const std::string& name, const std::string& keyPem) {
        site.add(name, keyPem);
        names.push_back(name);
    }

    KeyDaemon daemon{KeyDaemon::Tpm::swtpm};
    TlsSite site{4};
    std::vector<std::string> names;
};

// The tests leave nginx and keyd running as they found them.
class NginxWithProvider : public testing::Test {
  protected:
    static void SetUpTestSuite() { box_ = std::make_unique<Box>(); }
    static void TearDownTestSuite() { box_.reset(); }

    static inline std::unique_ptr<Box> box_;
    KeyDaemon& daemon_ = box_->daemon;
    TlsSite& site_ = box_->site;
    const std::vector<std::string>& names_ = box_->names;
};

TEST_F(NginxWithProvider, ServesEveryNameWithBothVersions) {
    for (const int version : tlsVersions)
        for (const std::string& name : names_) EXPECT_EQ(TlsClient(version).visit(site_.port(), name), "");
}

TEST_F(NginxWithProvider, NoVisitFailsWhileNginxReloads) {
    const TlsLoad load(site_.port(), names_, 4);
    for (int i = 0; i < 3; ++i) {
        site_.nginx().reload();
        load.awaitMore(10);
    }
    EXPECT_EQ(load.failures(), std::vector<std::string>());
    RecordProperty("visits", load.visits());
}

TEST_F(NginxWithProvider, NoVisitFailsWhileAWorkerIsReplaced) {
    const TlsLoad load(site_.port(), names_, 4);
    for (int i = 0; i < 3; ++i) {
        const std::set<pid_t> before = site_.nginx().workers();
        ASSERT_EQ(before.size(), 4U);
        ::kill(*before.begin(), SIGQUIT);
        waitUntil("a new worker", [&] {
            const std::set<pid_t> now = site_.nginx().workers();
            return now.size() == before.size() && !now.contains(*before.begin());
        });
        load.awaitMore(10);
    }
    EXPECT_EQ(load.failures(), std::vector<std::string>());
    RecordProperty("visits", load.visits());
}

TEST_F(NginxWithProvider, NoVisitFailsWhileKeydIsKilledAndStartedAgain) {
    const TlsLoad load(site_.port(), names_, 4);
    for (int i = 0; i < 3; ++i) {
        load.awaitMore(10);
        daemon_.restart();
    }
    load.awaitMore(10);
    EXPECT_EQ(load.failures(), std::vector<std::string>());
    RecordProperty("visits", load.visits());
}

TEST_F(NginxWithProvider, AKeydThatStaysAwayFailsOnlyItsOwnKeys) {
    daemon_.server().kill();
    const TlsClient client(TLS1_3_VERSION);
    EXPECT_EQ(client.visit(site_.port(), "plain-ec.example"), "");
    EXPECT_NE(client.visit(site_.port(), "file-ec.example"), "");
    waitUntil("the reason in nginx's log",
              [&] { return site_.nginx().errorLog().find("cannot be reached") != std::string::npos; });
    daemon_.server().start();
    EXPECT_EQ(client.visit(site_.port(), "file-ec.example"), "");
}

TEST(NginxAccess, AWorkerThatTheAccessListDoesNotNameIsRefused) {
    KeyDaemon daemon;
    TlsSite site(1);
    site.add("named.example", daemon.makeReference(KeyAlgorithm::ecP256, KeyPolicy::file, worker));
    site.add("unnamed.example", daemon.makeReference(KeyAlgorithm::ecP256, KeyPolicy::file, {}));
    site.start();
    const TlsClient client(TLS1_3_VERSION);
    EXPECT_EQ(client.visit(site.port(), "named.example"), "");
    EXPECT_NE(client.visit(site.port(), "unnamed.example"), "");
    waitUntil("the refusal in nginx's log",
              [&] { return site.nginx().errorLog().find("may not sign") != std::string::npos; });
}

}  // namespace
}  // namespace provider_test
