// kill -9 while a child writes: what was acknowledged is there, and nothing is half there.
#include <csignal>
#include <random>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/child_process.h"
#include "tests/unit/store/samples.h"

namespace certmgr::store {
namespace {

// In the child: each round is one transaction over several tables, acknowledged through the pipe when it is
// durable.
[[noreturn]] void writeForEver(const std::filesystem::path& file, int acknowledge) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Database database(file);
    KeyRepository keys(database);
    CertificateRepository certificates(database);
    CredentialRepository credentials(database);
    for (;;) {
        std::int64_t generation = 0;
        database.transaction([&] {
            const KeyId key = KeyId::fresh();
            keys.intend(key, "certificate:a.example");
            certificates.put(sampleSpec("a.example"), true);
            generation = credentials.add(sampleCredential("a.example", key), sampleTime);
            credentials.setCurrent("a.example", generation);
        });
        if (::write(acknowledge, &generation, sizeof generation) != sizeof generation) ::_exit(1);
    }
}

// Lets the child write until `rounds` were acknowledged, kills it, and returns the last generation that was.
std::int64_t writeAndKill(const std::filesystem::path& file, int rounds) {
    int ends[2];
    if (::pipe(ends) != 0) return -1;
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        writeForEver(file, ends[1]);
    }
    ::close(ends[1]);
    std::int64_t last = -1;
    std::int64_t generation = 0;
    for (int i = 0; i < rounds && ::read(ends[0], &generation, sizeof generation) == sizeof generation; ++i)
        last = generation;
    ::kill(child, SIGKILL);
    while (::read(ends[0], &generation, sizeof generation) == sizeof generation) last = generation;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    return last;
}

TEST(Crash, keepsWhatWasAcknowledgedAndNothingByHalves) {
    const testing_support::TemporaryDirectory folder;
    std::mt19937 random(1);
    for (int kill = 0; kill < 40; ++kill) {
        const int rounds = std::uniform_int_distribution<>(1, 60)(random);
        const std::int64_t acknowledged = writeAndKill(folder / "certmgr.db", rounds);
        ASSERT_GT(acknowledged, 0);
        Database database(folder / "certmgr.db");
        const auto current = CredentialRepository(database).current("a.example");
        ASSERT_TRUE(current);
        // One transaction may have become durable without its acknowledgement having been seen.
        ASSERT_GE(current->generation, acknowledged);
        ASSERT_LE(current->generation, acknowledged + 1);
        const Database::Guard guard = database.use();
        const auto count = [&](const char* table) {
            return guard.connection.execAndGet(std::string("SELECT count(*) FROM ") + table).getInt64();
        };
        ASSERT_EQ(count("credentials"), current->generation);
        ASSERT_EQ(count("keys"), current->generation);
        ASSERT_EQ(guard.connection.execAndGet("PRAGMA integrity_check").getString(), "ok");
        ASSERT_EQ(count("pragma_foreign_key_check"), 0);
    }
}

}  // namespace
}  // namespace certmgr::store
