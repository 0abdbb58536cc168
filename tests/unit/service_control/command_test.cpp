#include "hal/systemd/command.h"

#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "hal/error.h"
#include "hal/handle.h"
#include "hal/systemd/command_service_control.h"
#include "tests/support/child_process.h"

namespace hal {
namespace {

using std::chrono::milliseconds;
using testing_support::readFile;

std::vector<std::string> shell(const std::string& script) {
    return {"/bin/sh", "-c", script};
}

class CommandServiceControlTest : public ::testing::Test {
  protected:
    Error errorOf(const ServiceHandle& service) {
        try {
            control_.reload(service);
        } catch (const Error& error) {
            return error;
        }
        return {ErrorKind::internal, "no error", ""};
    }
    std::string outputOf(const std::string& script) {
        const std::string file = folder_ / "out";
        control_.reload({"", {}, shell("(" + script + ") >" + file + " 2>&1"), milliseconds(20'000)});
        return readFile(file);
    }

    testing_support::TemporaryDirectory folder_;
    CommandServiceControl control_;
};

TEST_F(CommandServiceControlTest, RunsTheCheckAndThenTheReload) {
    const std::string file = folder_ / "order";
    control_.reload({"", shell("echo check >>" + file), shell("echo reload >>" + file)});
    EXPECT_EQ(readFile(file), "check\nreload\n");
}

TEST_F(CommandServiceControlTest, AFailingCheckKeepsTheReloadFromRunning) {
    const std::string file = folder_ / "reloaded";
    const Error error = errorOf({"", shell("echo line 7 is wrong >&2; exit 3"), {"touch", file}});
    EXPECT_EQ(error.code(), "check-failed");
    EXPECT_NE(std::string(error.what()).find("ended with status 3: line 7 is wrong"), std::string::npos)
        << error.what();
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(CommandServiceControlTest, AFailingReloadSaysHow) {
    EXPECT_EQ(errorOf({"", {}, {"false"}}).code(), "reload-failed");
    const Error killed = errorOf({"", {}, shell("kill -9 $$")});
    EXPECT_EQ(killed.code(), "reload-failed");
    EXPECT_NE(std::string(killed.what()).find("signal 9"), std::string::npos) << killed.what();
    const Error missing = errorOf({"", {}, {"certmgr-no-such-program"}});
    EXPECT_EQ(missing.code(), "reload-failed");
    EXPECT_NE(std::string(missing.what()).find("No such file"), std::string::npos) << missing.what();
}

TEST_F(CommandServiceControlTest, WithoutAnythingToDoNothingHappens) {
    control_.reload({});
    EXPECT_EQ(errorOf({"nginx.service", {}, {}}).code(), "reload-failed");
}

TEST_F(CommandServiceControlTest, IsNoShell) {
    const std::string file = folder_ / "injected";
    control_.reload({"", {}, {"echo", "; touch " + file, "$(touch " + file + ")"}});
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(CommandServiceControlTest, AtTheTimeLimitTheWholeGroupIsKilled) {
    const std::string fifo = folder_ / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    // Both hold the fifo open for writing; it is at its end only when both are dead.
    const Error error = errorOf(
        {"", {}, shell("exec 9>" + fifo + "; echo begun; sleep 1000 & sleep 1000"), milliseconds(300)});
    EXPECT_EQ(error.code(), "reload-timeout");
    EXPECT_NE(std::string(error.what()).find("begun"), std::string::npos) << error.what();
    testing_support::waitUntil("the end of the grandchild", [&] {
        char octet = 0;
        return ::read(reader.get(), &octet, 1) == 0;
    });
}

TEST_F(CommandServiceControlTest, ACheckThatHangsIsATimeoutToo) {
    EXPECT_EQ(errorOf({"", {"sleep", "1000"}, {"true"}, milliseconds(100)}).code(), "reload-timeout");
}

TEST_F(CommandServiceControlTest, DoesNotWaitForWhatTheCommandLeavesBehind) {
    control_.reload({"", {}, shell("sleep 5 & exit 0"), milliseconds(4'000)});
}

TEST_F(CommandServiceControlTest, KeepsTheLastLinesOfAnyAmountOfOutput) {
    const Error error =
        errorOf({"", {}, shell("head -c 3000000 /dev/zero | tr '\\0' x; echo THE END; exit 1")});
    const std::string text = error.what();
    EXPECT_LT(text.size(), 4400u);
    EXPECT_TRUE(text.ends_with("xTHE END")) << text.substr(text.size() - 20);
}

TEST_F(CommandServiceControlTest, MakesOutputFitForTerminalsAndTheBus) {
    const Error error = errorOf({"", {}, shell("printf 'a\\033[31m\\377b'; exit 1")});
    EXPECT_TRUE(std::string(error.what()).ends_with(": a?[31m?b")) << error.what();
}

TEST_F(CommandServiceControlTest, InheritsNothing) {
    ::setenv("CERTMGR_TEST_SECRET", "1", 1);
    const UniqueFd leak(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
    ASSERT_TRUE(leak);
    EXPECT_EQ(outputOf("cat; env | grep -vE '^(PWD|OLDPWD|SHLVL|_)=' | sort; ls /proc/self/fd"),
              "LC_ALL=C\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n0\n1\n2\n3\n");
    ::unsetenv("CERTMGR_TEST_SECRET");
}

TEST_F(CommandServiceControlTest, GivesDefaultSignals) {
    const auto before = ::signal(SIGTERM, SIG_IGN);
    const Error error = errorOf({"", {}, shell("kill -TERM $$; exit 0")});
    ::signal(SIGTERM, before);
    EXPECT_NE(std::string(error.what()).find("signal 15"), std::string::npos) << error.what();
}

TEST_F(CommandServiceControlTest, ServesManyThreads) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([this, i] {
            const Error error = errorOf({"", {}, shell("echo number " + std::to_string(i) + "; exit 1")});
            EXPECT_TRUE(std::string(error.what()).ends_with("number " + std::to_string(i))) << error.what();
        });
}

TEST(RunCommand, givesItsInputWholeAndWaitsForNobodyToReadIt) {
    const std::string text(200'000, 'x');
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    EXPECT_EQ(runCommand(shell("wc -c"), deadline, {}, text).output, "200000");
    EXPECT_TRUE(runCommand({"/bin/true"}, deadline, {}, text).succeeded());
    EXPECT_EQ(runCommand(shell("wc -c"), deadline).output, "0");
}

TEST(RunCommand, givesVariablesThatMayReplaceItsOwn) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    EXPECT_EQ(runCommand(shell("echo $A $PATH $LC_ALL"), deadline, {"A=a b", "PATH=/opt", "PATHS=no"}).output,
              "a b /opt C");
}

TEST(RunCommand, endsAtOnceWhenItIsStopped) {
    std::stop_source stop;
    const auto begin = std::chrono::steady_clock::now();
    const std::jthread other([&] {
        std::this_thread::sleep_for(milliseconds(100));
        stop.request_stop();
    });
    const auto deadline = begin + std::chrono::seconds(600);
    const CommandResult result =
        runCommand(shell("echo begun; exec sleep 1000"), deadline, {}, {}, stop.get_token());
    EXPECT_EQ(result.end, CommandResult::End::stopped);
    EXPECT_EQ(result.output, "begun");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_EQ(runCommand({"/bin/true"}, deadline, {}, {}, stop.get_token()).end, CommandResult::End::stopped)
        << "and none begins after that";
    EXPECT_EQ(runCommand({"/bin/true"}, deadline, {}, {}, std::stop_source().get_token()).end,
              CommandResult::End::exited);
}

}  // namespace
}  // namespace hal
