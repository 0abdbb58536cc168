// A TPM that is absent, locked out, full, gone and back: typed errors, recorded fallbacks, and no key lost.
#include <regex>

#include "hal/client/keyd_client.h"
#include "hal/error.h"
#include "tests/integration/keyd/fixture.h"
#include "tests/support/keyd_server.h"
#include "tests/support/swtpm.h"

namespace keyd_test {
namespace {

using hal::KeyPolicy;
using testing_support::KeydServer;
using testing_support::ResourceManager;
using testing_support::Swtpm;

// Under tpm and sealed the code and nothing left; under prefer-tpm a file key that says so.
void expectFailure(hal::KeyStore& keys, const std::string& code) {
    const std::size_t before = keys.list().size();
    EXPECT_EQ(codeOf([&] { keys.make(request(KeyPolicy::tpm)); }), code);
    EXPECT_EQ(codeOf([&] { keys.make(request(KeyPolicy::sealed)); }), code);
    EXPECT_EQ(keys.list().size(), before);
    const hal::KeyInfo fallback = keys.make(request(KeyPolicy::preferTpm));
    EXPECT_EQ(fallback.backend, hal::KeyBackend::file);
    EXPECT_EQ(fallback.reasonCode, code) << fallback.reason;
    EXPECT_EQ(keys.find(fallback.id)->reasonCode, code);
    EXPECT_TRUE(verifies(fallback.publicKey, sign(keys, fallback.id)));
    for (const hal::BackendHealth& health : keys.health()) {
        EXPECT_EQ(health.usable, health.backend == hal::KeyBackend::file);
        EXPECT_EQ(health.reasonCode, health.usable ? "ok" : code) << health.reason;
    }
}

KeydServer::Options optionsFor(const std::string& tcti) {
    return {tcti, {}, {}};
}

TEST(TpmFailure, NoneConfigured) {
    KeydServer server;
    hal::KeydClient keys(server.socketPath());
    expectFailure(keys, "no-tpm");
}

TEST(TpmFailure, NoneThere) {
    KeydServer server(optionsFor("device:/dev/no-such-tpm"));
    hal::KeydClient keys(server.socketPath());
    expectFailure(keys, "no-tpm");
}

TEST(TpmFailure, PreferTpmTakesItWhereItIsThere) {
    Swtpm tpm;
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::preferTpm));
    EXPECT_EQ(info.backend, hal::KeyBackend::tpm);
    EXPECT_EQ(info.reasonCode, "as-asked");
    hal::KeyRequest large = request(KeyPolicy::preferTpm);
    large.algorithm = hal::KeyAlgorithm::rsa4096;
    EXPECT_EQ(keys.make(large).reasonCode, "not-supported");
}

TEST(TpmFailure, GoneAndBackLosesNoKey) {
    Swtpm tpm;
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo inTpm = keys.make(request(KeyPolicy::tpm));
    const hal::KeyInfo sealed = keys.make(request(KeyPolicy::sealed));
    EXPECT_TRUE(verifies(inTpm.publicKey, sign(keys, inTpm.id)));
    tpm.stop();
    EXPECT_EQ(codeOf([&] { sign(keys, inTpm.id); }), "tpm-gone");
    EXPECT_EQ(codeOf([&] { sign(keys, sealed.id); }), "tpm-gone");
    expectFailure(keys, "tpm-gone");
    tpm.start();
    EXPECT_TRUE(verifies(inTpm.publicKey, sign(keys, inTpm.id)));
    EXPECT_TRUE(verifies(sealed.publicKey, sign(keys, sealed.id)));
}

TEST(TpmFailure, AResetBetweenTwoSignaturesIsNotNoticed) {
    Swtpm tpm;
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::tpm));
    for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
        tpm.stop();
        tpm.start();
    }
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
}

TEST(TpmFailure, TheResourceManagerGoneAndBack) {
    Swtpm tpm;
    ResourceManager manager(tpm);
    KeydServer server(KeydServer::Options{manager.tcti(), manager.environment(), {}});
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::tpm));
    manager.stop();
    EXPECT_EQ(codeOf([&] { sign(keys, info.id); }), "tpm-gone");
    EXPECT_EQ(keys.make(request(KeyPolicy::preferTpm)).reasonCode, "tpm-gone");
    manager.start();
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
}

TEST(TpmFailure, CrashedDaemonsDoNotFillTheSlots) {
    Swtpm tpm;
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo first = keys.make(request(KeyPolicy::tpm));
    const hal::KeyInfo second = keys.make(request(KeyPolicy::tpm));
    for (int round = 0; round < 4; ++round) {
        EXPECT_TRUE(verifies(first.publicKey, sign(keys, first.id)));
        EXPECT_TRUE(verifies(second.publicKey, sign(keys, second.id)));
        server.kill();
        server.start();
    }
}

TEST(TpmFailure, Full) {
    Swtpm tpm;
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::tpm));
    for (int i = 0; i < 3; ++i)
        tpm.tool({"tpm2_createprimary", "-Q", "-C", "o", "-c", tpm.folder() / "stranger"});
    expectFailure(keys, "tpm-full");
    EXPECT_EQ(codeOf([&] { sign(keys, info.id); }), "tpm-full");
    tpm.tool({"tpm2_flushcontext", "-t"});
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
}

void lockOut(const Swtpm& tpm) {
    const std::string folder = tpm.folder();
    tpm.tool({"tpm2_dictionarylockout", "-Q", "-s", "-n", "3", "-t", "3600", "-l", "3600"});
    tpm.tool({"tpm2_create", "-Q", "-C", "0x81000001", "-p", "right", "-u", folder + "/da.pub", "-r",
              folder + "/da.priv", "-i", folder + "/secret"});
    tpm.tool({"tpm2_load", "-Q", "-C", "0x81000001", "-u", folder + "/da.pub", "-r", folder + "/da.priv",
              "-c", folder + "/da.ctx"});
    for (int i = 0; i < 3; ++i) {
        tpm.tool({"tpm2_flushcontext", "-t"});
        tpm.tryTool({"tpm2_unseal", "-c", folder + "/da.ctx", "-p", "wrong"});
    }
    tpm.tool({"tpm2_flushcontext", "-t"});
    ASSERT_TRUE(
        std::regex_search(tpm.tool({"tpm2_getcap", "properties-variable"}), std::regex("inLockout: +1")));
}

TEST(TpmFailure, LockedOutUnderAStorageKeyThatIsSubjectToIt) {
    Swtpm tpm;
    const std::string folder = tpm.folder();
    testing_support::writeFile(folder + "/secret", "x");
    // As tpm2-tools make it by default: without noda.
    tpm.tool({"tpm2_createprimary", "-Q", "-C", "o", "-c", folder + "/srk"});
    tpm.tool({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", folder + "/srk", "0x81000001"});
    tpm.tool({"tpm2_flushcontext", "-t"});
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::tpm));
    lockOut(tpm);
    expectFailure(keys, "tpm-locked-out");
    EXPECT_EQ(codeOf([&] { sign(keys, info.id); }), "tpm-locked-out");
    tpm.tool({"tpm2_dictionarylockout", "-Q", "-c"});
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
}

TEST(TpmFailure, OurOwnStorageKeyIsAboveALockout) {
    Swtpm tpm;
    testing_support::writeFile(tpm.folder() / "secret", "x");
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::tpm));
    lockOut(tpm);
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
    EXPECT_EQ(keys.make(request(KeyPolicy::preferTpm)).backend, hal::KeyBackend::tpm);
}

TEST(TpmFailure, SomethingElseAtTheStorageKeysPlace) {
    Swtpm tpm;
    const std::string folder = tpm.folder();
    tpm.tool({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc:ecdsa", "-c", folder + "/other", "-a",
              "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"});
    tpm.tool({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", folder + "/other", "0x81000001"});
    tpm.tool({"tpm2_flushcontext", "-t"});
    tpm.tool({"tpm2_createprimary", "-Q", "-C", "o", "-p", "password", "-c", folder + "/locked"});
    tpm.tool({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", folder + "/locked", "0x81000c00"});
    tpm.tool({"tpm2_flushcontext", "-t"});
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyInfo info = keys.make(request(KeyPolicy::tpm));
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
    server.kill();
    server.start();
    EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
}

TEST(TpmFailure, AClearedTpmSaysSo) {
    Swtpm tpm;
    KeydServer server(optionsFor(tpm.tcti()));
    hal::KeydClient keys(server.socketPath());
    const hal::KeyId inTpm = keys.make(request(KeyPolicy::tpm)).id;
    const hal::KeyId sealed = keys.make(request(KeyPolicy::sealed)).id;
    tpm.tool({"tpm2_clear", "-Q"});
    for (const hal::KeyId& id : {inTpm, sealed}) EXPECT_EQ(codeOf([&] { sign(keys, id); }), "tpm-failed");
    const hal::KeyInfo fresh = keys.make(request(KeyPolicy::tpm));
    EXPECT_TRUE(verifies(fresh.publicKey, sign(keys, fresh.id)));
}

}  // namespace
}  // namespace keyd_test
