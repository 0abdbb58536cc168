#include "certmgr/acme/solvers/webroot_solver.h"

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

TEST(WebrootSolver, KnowsWhetherSomebodyListens) {
    const TemporaryDirectory directory;
    const std::uint16_t port = testing_support::freePort();
    const WebrootSolver solver(directory.path(), port);
    const auto missing = solver.missing(proofWith("token"));
    ASSERT_TRUE(missing.has_value());
    EXPECT_FALSE(missing->certain) << "the CA has the last word";
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const hal::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_FALSE(solver.missing(proofWith("token")).has_value());
    EXPECT_FALSE(WebrootSolver(directory.path()).missing(proofWith("token")))
        << "where the port is not known";
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
