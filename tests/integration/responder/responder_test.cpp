#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/responder_process.h"

namespace {

namespace fs = std::filesystem;
using testing_support::freePort;
using testing_support::ResponderProcess;
using testing_support::run;
using testing_support::writeFile;

class Responder : public testing::Test {
  protected:
    // Status and body, by a client that is not ours.
    std::string ask(const std::string& path, const std::string& method = "GET") const {
        return run({"curl", "-sS", "--noproxy", "*", "--path-as-is", "-X", method, "-w", " %{http_code}",
                    "http://127.0.0.1:" + std::to_string(port_) + path})
            .output;
    }
    const std::string prefix_ = "/.well-known/acme-challenge/";
    const std::uint16_t port_ = freePort();
    ResponderProcess responder_{CERTMGR_RESPONDER, port_};
};

TEST_F(Responder, ServesAChallengeWhileItIsPresented) {
    const certmgr::acme::Proof proof{
        {certmgr::Identifier::Type::dns, "gw.example"}, "token", "token.thumbprint"};
    responder_.solver().present(proof);
    EXPECT_EQ(ask(prefix_ + "token"), "token.thumbprint 200");
    responder_.solver().remove(proof);
    EXPECT_EQ(ask(prefix_ + "token"), "not found\n 404");
}

TEST_F(Responder, ServesNothingElse) {
    const fs::path directory = responder_.directory();
    writeFile(directory / "token", "answer");
    writeFile(directory / "with.dot", "answer");
    writeFile(directory / "large", std::string(4097, 'x'));
    fs::create_symlink("/etc/passwd", directory / "link");
    fs::create_directory(directory / "folder");
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0644), 0);
    for (const std::string path :
         {"/", "/token", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/with.dot",
          "/.well-known/acme-challenge/large", "/.well-known/acme-challenge/link",
          "/.well-known/acme-challenge/folder", "/.well-known/acme-challenge/fifo",
          "/.well-known/acme-challenge/../../etc/passwd", "/.well-known/acme-challenge/%2e%2e%2fetc%2fpasswd",
          "/.well-known/acme-challenge/.", "/.well-known/acme-challenge/.."})
        EXPECT_EQ(ask(path), "not found\n 404") << path;
    EXPECT_EQ(ask(prefix_ + std::string(129, 'a')), "not found\n 404");
    EXPECT_EQ(ask(prefix_ + "token", "DELETE"), "not found\n 404");
    EXPECT_EQ(ask(prefix_ + "token"), "answer 200");
}

TEST(ResponderCommand, TakesTheSocketsOfItsUnit) {
    const testing_support::TemporaryDirectory directory;
    writeFile(directory / "token", "answer");
    const std::string port = std::to_string(freePort());
    testing_support::ChildProcess activated({"systemd-socket-activate", "-l", "127.0.0.1:" + port,
                                             CERTMGR_RESPONDER, "--directory", directory.path().string()});
    testing_support::waitUntil("systemd-socket-activate listens", [&] {
        return testing_support::portOpen(static_cast<std::uint16_t>(std::stoi(port)));
    });
    EXPECT_EQ(run({"curl", "-sS", "--noproxy", "*",
                   "http://127.0.0.1:" + port + "/.well-known/acme-challenge/token"})
                  .output,
              "answer");
}

TEST(ResponderCommand, SaysWhatIsWrongInOneSentence) {
    const auto failure = [](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), CERTMGR_RESPONDER);
        const testing_support::RunResult result = run(arguments);
        EXPECT_NE(result.status, 0);
        return result.output;
    };
    EXPECT_NE(failure({"--directory", "/nonexistent"}).find("/nonexistent: No such file"), std::string::npos);
    EXPECT_NE(failure({"--directory", "/tmp"}).find("nothing to listen on"), std::string::npos);
    EXPECT_NE(failure({"--directory", "/tmp", "--listen", "localhost"}).find("expected ADDRESS:PORT"),
              std::string::npos);
    EXPECT_NE(failure({"--directory", "/tmp", "--listen", "nowhere:80"}).find("as in 127.0.0.1:80"),
              std::string::npos);
    EXPECT_EQ(run({CERTMGR_RESPONDER, "--help"}).status, 0);
    EXPECT_EQ(run({CERTMGR_RESPONDER, "--version"}).status, 0);
}

}  // namespace
