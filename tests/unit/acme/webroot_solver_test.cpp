#include "certmgr/acme/solvers/webroot_solver.h"

#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "certmgr/core/error.h"
#include "hal/handle.h"
#include "tests/support/child_process.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;
using testing_support::readFile;
using testing_support::TemporaryDirectory;
using testing_support::writeFile;

Proof proofWith(const std::string& token) {
    return {{Identifier::Type::dns, "gw.example"}, token, token + ".thumbprint"};
}

TEST(WebrootSolver, WritesAFileThatAllMayReadAndRemovesIt) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory.path());
    const Proof proof = proofWith("token-1_A");
    const mode_t before = ::umask(0077);
    solver.present(proof);
    ::umask(before);
    EXPECT_EQ(readFile(directory / "token-1_A"), "token-1_A.thumbprint");
    EXPECT_EQ(fs::status(directory / "token-1_A").permissions(), fs::perms(0644));
    solver.remove(proof);
    solver.remove(proof);
    EXPECT_TRUE(fs::is_empty(directory.path()));
}

// The kernel takes a connection before anybody accepts it.
class OneAnswer {
  public:
    OneAnswer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
    }

    // Runs `asked` with somebody there who gives that answer to one request; returns the request.
    template <class Asked>
    std::string to(const std::string& answer, Asked asked) {
        std::string request(4096, '\0');
        std::thread server([&] {
            const hal::UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
            const ssize_t size = ::recv(client.get(), request.data(), request.size(), 0);
            request.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
            EXPECT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(answer.size()));
        });
        asked();
        server.join();
        return request;
    }

    const std::uint16_t port = testing_support::freePort();

  private:
    hal::UniqueFd listener_;
};

TEST(WebrootSolver, KnowsWhoAnswersInPlaceOfTheChallenge) {
    const TemporaryDirectory directory;
    const Proof proof = proofWith("token");
    const std::uint16_t nobody = testing_support::freePort();
    const auto absent = WebrootSolver(directory.path(), nobody).missing(proof);
    ASSERT_TRUE(absent.has_value());
    EXPECT_EQ(absent->what, "the server of the challenges to start");
    EXPECT_FALSE(absent->certain) << "the CA has the last word";
    EXPECT_FALSE(WebrootSolver(directory.path()).missing(proof)) << "where the port is not known";

    OneAnswer server;
    const WebrootSolver solver(directory.path(), server.port);
    std::optional<Solver::Missing> missing;
    const auto look = [&] { missing = solver.missing(proof); };
    const std::string asked = server.to("HTTP/1.1 200 OK\r\n\r\ntoken.thumbprint", look);
    EXPECT_FALSE(missing.has_value());
    EXPECT_TRUE(asked.starts_with("GET /.well-known/acme-challenge/token HTTP/1.0\r\nHost: gw.example\r\n"));
    const std::string where = "the challenge on port " + std::to_string(server.port) + ", where ";
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\n\r\n", "nginx/1.22.1 answers 404"},
        {"HTTP/1.1 302 Found\r\nserver:\tportal\r\nLocation: http://login/\r\n\r\n",
         "portal leads to http://login/"},
        {"HTTP/1.1 200 OK\r\n\r\nwelcome", "a server that does not say its name answers with something else"},
        {"HTTP/1.1 404 No\r\nServer: a\x1b[31m\r\n\r\n", "a?[31m answers 404"},
        {"SSH-2.0-OpenSSH\r\n", "something that does not answer in HTTP listens"},
    };
    for (const auto& [answer, words] : wrong) {
        server.to(answer, look);
        ASSERT_TRUE(missing.has_value()) << words;
        EXPECT_EQ(missing->what, where + words);
        EXPECT_FALSE(missing->certain);
    }
}

TEST(WebrootSolver, TriesAnAddressWithAChallengeOfItsOwnAndTakesItAway) {
    const TemporaryDirectory directory;
    OneAnswer server;
    WebrootSolver solver(directory.path(), server.port);
    PortAnswer answer;
    const std::string asked = server.to("HTTP/1.1 404 Not Found\r\nServer: nginx\r\n\r\n", [&] {
        answer = solver.answerAt({Identifier::Type::dns, "gw.example"}, "127.0.0.1");
    });
    EXPECT_EQ(answer.who, PortAnswer::Who::other);
    EXPECT_EQ(answer.words, "nginx answers 404");
    EXPECT_TRUE(answer.certain);
    EXPECT_TRUE(asked.starts_with("GET /.well-known/acme-challenge/"));
    EXPECT_TRUE(fs::is_empty(directory.path()));
    const std::uint16_t nobody = testing_support::freePort();
    answer =
        WebrootSolver(directory.path(), nobody).answerAt({Identifier::Type::dns, "gw.example"}, "127.0.0.1");
    EXPECT_EQ(answer.who, PortAnswer::Who::nobody);
    EXPECT_TRUE(answer.certain);
}

TEST(WebrootSolver, RefusesATokenThatIsAPath) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory.path());
    writeFile(directory / "victim", "stays");
    fs::create_directory(directory / "webroot");
    WebrootSolver below(directory / "webroot");
    EXPECT_THROW(below.present(proofWith("../victim")), Error);
    below.remove(proofWith("../victim"));
    EXPECT_EQ(readFile(directory / "victim"), "stays");
}

TEST(WebrootSolver, AMissingDirectoryIsAnError) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory / "absent");
    EXPECT_THROW(solver.present(proofWith("token")), Error);
}

TEST(WebrootSolver, PurgesWhatACrashLeftBehind) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory.path());
    for (const char* const name : {"old", "old.tmp", "young", "not.a.token"})
        writeFile(directory / name, "x");
    const auto moment = fs::file_time_type::clock::now();
    for (const char* const name : {"old", "old.tmp", "not.a.token"})
        fs::last_write_time(directory / name, moment - std::chrono::hours(30));
    EXPECT_EQ(solver.purge(moment - std::chrono::hours(24)), 2);
    EXPECT_TRUE(fs::exists(directory / "young"));
    EXPECT_TRUE(fs::exists(directory / "not.a.token"));
}

}  // namespace
}  // namespace certmgr::acme
