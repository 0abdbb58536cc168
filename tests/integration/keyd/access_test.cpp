// Rights by peer credentials: what managers, named users and groups, and everybody else may do.
#include <stdexcept>

#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/client/keyd_client.h"
#include "tests/integration/keyd/fixture.h"
#include "tests/support/keyd_server.h"

namespace keyd_test {
namespace {

using testing_support::KeydServer;

struct Identity {
    uid_t uid;
    gid_t gid;
    std::vector<gid_t> groups;
};

Identity userNamed(const std::string& name) {
    const passwd* entry = ::getpwnam(name.c_str());
    if (!entry) throw std::runtime_error("this test needs the system user " + name);
    return {entry->pw_uid, entry->pw_gid, {}};
}

// The code that `work` ends with in a child of another identity.
std::string codeAs(const Identity& who, const std::function<void()>& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        const bool changed = ::setgroups(who.groups.size(), who.groups.data()) == 0 &&
                             ::setgid(who.gid) == 0 && ::setuid(who.uid) == 0;
        const std::string code = changed ? codeOf(work) : "cannot change the user: run this test as root";
        ::_exit(::write(ends[1], code.data(), code.size()) < 0);
    }
    ::close(ends[1]);
    std::string code(256, '\0');
    const ssize_t size = ::read(ends[0], code.data(), code.size());
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    code.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return code;
}

class Access : public testing::Test {
  protected:
    KeydServer server_;
    hal::KeydClient keys_{server_.socketPath()};
    const Identity nobody_ = userNamed("nobody");
};

TEST_F(Access, WhoIsNotNamedMaySignWithNothing) {
    const hal::KeyId id = keys_.make(request(hal::KeyPolicy::file, {{"www-data"}, {"adm"}})).id;
    EXPECT_EQ(codeAs(nobody_, [&] { sign(keys_, id); }), "access-denied");
}

TEST_F(Access, AKeyThatDoesNotExistLooksLikeOneThatIsNotTheirs) {
    EXPECT_EQ(codeAs(nobody_, [&] { sign(keys_, hal::KeyId::fresh()); }), "access-denied");
}

TEST_F(Access, TheNamedUserMaySignAndNothingElse) {
    const hal::KeyId id = keys_.make(request(hal::KeyPolicy::file, {{"nobody"}, {}})).id;
    EXPECT_EQ(codeAs(nobody_, [&] { sign(keys_, id); }), "");
    const std::vector<std::function<void()>> refused{
        [&] { keys_.make(request()); }, [&] { keys_.import(request(), "x"); },
        [&] { keys_.find(id); },        [&] { keys_.list(); },
        [&] { keys_.destroy(id); },     [&] { keys_.release(id); },
        [&] { keys_.health(); }};
    for (const auto& call : refused) EXPECT_EQ(codeAs(nobody_, call), "access-denied");
    EXPECT_TRUE(keys_.find(id)) << "somebody without the right destroyed it";
}

TEST_F(Access, GroupsCountPrimaryAndSupplementary) {
    const group* adm = ::getgrnam("adm");
    ASSERT_TRUE(adm) << "this test needs the system group adm";
    const gid_t gid = adm->gr_gid;
    const hal::KeyId id = keys_.make(request(hal::KeyPolicy::file, {{}, {"adm"}})).id;
    EXPECT_EQ(codeAs({nobody_.uid, gid, {}}, [&] { sign(keys_, id); }), "");
    EXPECT_EQ(codeAs({nobody_.uid, nobody_.gid, {gid}}, [&] { sign(keys_, id); }), "");
    EXPECT_EQ(codeAs(nobody_, [&] { sign(keys_, id); }), "access-denied");
}

TEST_F(Access, NamesThatDoNotExistMatchNobody) {
    const hal::KeyId id = keys_.make(request(hal::KeyPolicy::file, {{"no-such-user"}, {"no-such-group"}})).id;
    EXPECT_EQ(codeAs(nobody_, [&] { sign(keys_, id); }), "access-denied");
}

TEST_F(Access, WhoTakesAKeyOutIsOnRecord) {
    const hal::KeyId released = keys_.make(request()).id;
    const hal::KeyId exported = keys_.make(request()).id;
    keys_.release(released);
    keys_.exportWrapped(exported, hal::Bytes(32, 7));
    for (const hal::KeyId& id : {released, exported})
        EXPECT_NE(server_.log().find("user 0, process " + std::to_string(::getpid()) + ": takes out key " +
                                     id.text()),
                  std::string::npos)
            << server_.log();
}

TEST_F(Access, KeysAndTheirDirectoryAreForKeydAlone) {
    const hal::KeyId id = keys_.make(request()).id;
    const auto modeOf = [](const std::filesystem::path& path) {
        return std::filesystem::status(path).permissions() & std::filesystem::perms::mask;
    };
    EXPECT_EQ(modeOf(server_.directory()), std::filesystem::perms(0700));
    EXPECT_EQ(modeOf(server_.directory() / (id.text() + ".key")), std::filesystem::perms(0600));
}

}  // namespace
}  // namespace keyd_test
