// kill -9 and failing system calls: a key is whole or absent, and nothing half written stays.
#include <atomic>
#include <csignal>
#include <thread>

#include "hal/client/keyd_client.h"
#include "tests/integration/keyd/fixture.h"
#include "tests/support/keyd_server.h"

namespace keyd_test {
namespace {

using testing_support::KeydServer;

// Every file in the directory is a whole key that signs; returns their number.
std::size_t checkDirectory(const KeydServer& server, hal::KeyStore& keys) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(server.directory())) {
        EXPECT_EQ(entry.path().extension(), ".key") << entry.path();
        ++files;
    }
    const std::vector<hal::KeyInfo> listed = keys.list();
    EXPECT_EQ(listed.size(), files) << "a damaged file";
    for (const hal::KeyInfo& info : listed) EXPECT_TRUE(verifies(info.publicKey, sign(keys, info.id)));
    return files;
}

TEST(Crash, KilledAtManyMomentsOfAMakeLoop) {
    KeydServer server;
    hal::KeydClient keys(server.socketPath());
    std::vector<hal::KeyId> acknowledged;
    for (int round = 0; round < 25; ++round) {
        const std::size_t before = acknowledged.size();
        std::atomic<bool> stop = false;
        std::atomic<std::size_t> made = 0;
        std::thread maker([&] {
            hal::KeydClient own(server.socketPath());
            while (!stop) {
                const hal::KeyRequest asked = request();
                if (codeOf([&] { own.make(asked); }).empty()) {
                    acknowledged.push_back(asked.id);
                    ++made;
                }
            }
        });
        testing_support::waitUntil("keys are being made",
                                   [&] { return made > static_cast<std::size_t>(round % 5); });
        std::this_thread::sleep_for(std::chrono::microseconds(137 * round));  // another moment each time
        server.kill();
        stop = true;
        server.start();
        maker.join();
        EXPECT_GT(acknowledged.size(), before);
    }
    for (const hal::KeyId& id : acknowledged) EXPECT_TRUE(keys.find(id)) << "an acknowledged key is lost";
    EXPECT_GE(checkDirectory(server, keys), acknowledged.size());
}

TEST(Crash, ReleaseIsOnceAcrossAKill) {
    KeydServer server;
    hal::KeydClient keys(server.socketPath());
    const hal::KeyId id = keys.make(request()).id;
    keys.release(id);
    server.kill();
    server.start();
    EXPECT_EQ(codeOf([&] { keys.release(id); }), "already-released");
    EXPECT_TRUE(keys.find(id)->released);
}

// The Nth of `call` fails with `error`, for every N that making a key reaches.
class FailingCall : public testing::TestWithParam<std::pair<const char*, const char*>> {};

INSTANTIATE_TEST_SUITE_P(Calls, FailingCall,
                         testing::Values(std::pair{"write", "ENOSPC"}, std::pair{"fsync", "EIO"},
                                         std::pair{"renameat2", "EIO"}, std::pair{"openat", "EMFILE"}),
                         [](const auto& tested) {
                             return std::string(tested.param.first) + tested.param.second;
                         });

TEST_P(FailingCall, LeavesTheKeyWholeOrAbsent) {
    KeydServer server;
    const auto [call, error] = GetParam();
    server.stop();
    int failed = 0;
    for (int nth = 1; nth <= 6; ++nth) {
        server.start();
        hal::KeydClient keys(server.socketPath());
        keys.make(request());  // so that what OpenSSL opens once is not what fails
        testing_support::ChildProcess::Options quiet;
        quiet.output = server.directory().parent_path() / "strace.log";
        std::filesystem::remove(quiet.output);
        testing_support::ChildProcess tracer(
            {"strace", "-f", "-p", std::to_string(server.pid()), "-e", std::string("trace=") + call, "-e",
             std::string("inject=") + call + ":error=" + error + ":when=" + std::to_string(nth)},
            quiet);
        testing_support::waitUntil("strace attaches", [&] {
            return testing_support::readFile(quiet.output).find("attached") != std::string::npos;
        });
        const hal::KeyRequest asked = request();
        const std::string code = codeOf([&] { keys.make(asked); });
        tracer.signal(SIGINT);
        tracer.wait(std::chrono::seconds(5));
        failed += !code.empty();
        EXPECT_EQ(keys.find(asked.id).has_value(), code.empty()) << call << " " << nth << ": " << code;
        server.kill();
        server.start();
        EXPECT_EQ(keys.find(asked.id).has_value(), code.empty());
        checkDirectory(server, keys);
        server.stop();
    }
    EXPECT_GT(failed, 0) << "no call was made to fail";
}

}  // namespace
}  // namespace keyd_test
