#include "certmgr/acme/solvers/webroot_solver.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "certmgr/core/error.h"
#include "tests/support/child_process.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;
using testing_support::readFile;
using testing_support::TemporaryDirectory;
using testing_support::writeFile;

TEST(WebrootSolver, WritesAFileThatAllMayReadAndRemovesIt) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory.path());
    const mode_t before = ::umask(0077);
    solver.present("token-1_A", "token-1_A.thumbprint");
    ::umask(before);
    EXPECT_EQ(readFile(directory / "token-1_A"), "token-1_A.thumbprint");
    EXPECT_EQ(fs::status(directory / "token-1_A").permissions(), fs::perms(0644));
    solver.remove("token-1_A");
    solver.remove("token-1_A");
    EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(WebrootSolver, RefusesATokenThatIsAPath) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory.path());
    writeFile(directory / "victim", "stays");
    fs::create_directory(directory / "webroot");
    WebrootSolver below(directory / "webroot");
    EXPECT_THROW(below.present("../victim", "x"), Error);
    below.remove("../victim");
    EXPECT_EQ(readFile(directory / "victim"), "stays");
}

TEST(WebrootSolver, AMissingDirectoryIsAnError) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory / "absent");
    EXPECT_THROW(solver.present("token", "x"), Error);
}

TEST(WebrootSolver, PurgesWhatACrashLeftBehind) {
    const TemporaryDirectory directory;
    WebrootSolver solver(directory.path());
    for (const char* const name : {"old", "old.tmp", "young", "not.a.token"})
        writeFile(directory / name, "x");
    const auto now = fs::file_time_type::clock::now();
    for (const char* const name : {"old", "old.tmp", "not.a.token"})
        fs::last_write_time(directory / name, now - std::chrono::hours(30));
    EXPECT_EQ(solver.purge(now - std::chrono::hours(24)), 2);
    EXPECT_TRUE(fs::exists(directory / "young"));
    EXPECT_TRUE(fs::exists(directory / "not.a.token"));
}

}  // namespace
}  // namespace certmgr::acme
