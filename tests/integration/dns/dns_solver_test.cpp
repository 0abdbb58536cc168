// dns-01 with a real knot as primary and another one as secondary.
#include "certmgr/acme/solvers/dns_solver.h"

#include <atomic>
#include <future>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/digest.h"
#include "hal/handle.h"
#include "tests/support/knot_server.h"

namespace certmgr::acme {
namespace {

using testing_support::KnotServers;
using testing_support::TemporaryDirectory;
using Texts = std::vector<std::string>;

const std::string account = "https://example.com/acme/acct/ExampleAccount";

Proof proofOf(const std::string& name, const std::string& token = "token") {
    return {parseIdentifier(name), token, token + ".thumbprint", account};
}

std::string valueOf(const Proof& proof) {
    return crypto::sha256Base64url(proof.keyAuthorization);
}

class DnsSolverTest : public testing::Test {
  protected:
    DnsSolver solverWith(const DnsSettings& settings) const { return solverOf(knot_, settings); }
    DnsSolver solverOf(const KnotServers& knot, const DnsSettings& settings) const {
        return {ChallengeKind::dns01, KnotServers::tableOf(settings), knot.primary(), state_ / "records"};
    }
    DnsSolver solver() const { return solverWith(knot_.settings()); }
    void awaitVisible(const DnsSolver& solver, const Proof& proof) const {
        testing_support::waitUntil("both servers have it", [&] { return !solver.missing(proof); });
    }
    bool recordsLeft() const { return !std::filesystem::is_empty(state_ / "records"); }
    void makeOld(std::chrono::minutes age) const {
        for (const auto& entry : std::filesystem::directory_iterator(state_ / "records"))
            std::filesystem::last_write_time(entry, std::filesystem::file_time_type::clock::now() - age);
    }

    const std::string owner_ = "_acme-challenge.gw.example";
    KnotServers knot_;
    TemporaryDirectory state_;
};

TEST_F(DnsSolverTest, presentsAtEveryServerOfTheZoneAndRemoves) {
    DnsSolver solver = this->solver();
    const Proof name = proofOf("gw.example", "one");
    const Proof wildcard = proofOf("*.gw.example", "two");
    EXPECT_EQ(solver.whyNot(name.identifier, {account}), "");
    solver.present(name);
    solver.present(wildcard);
    for (const Proof& proof : {name, wildcard}) awaitVisible(solver, proof);
    for (const net::DnsServer& server : {knot_.primary(), knot_.secondary()})
        EXPECT_EQ(net::DnsClient(server).texts(owner_).size(), 2u) << "both at one name";
    solver.remove(name);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{valueOf(wildcard)});
    solver.remove(wildcard);
    solver.remove(wildcard);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverTest, takesAWildcardOfAliasesForNoDelegation) {
    DnsSolver solver = this->solver();
    const Proof proof = proofOf("wild.gw.example");
    EXPECT_EQ(solver.whyNot(proof.identifier, {account}), "");
    solver.present(proof);
    awaitVisible(solver, proof);
    EXPECT_EQ(knot_.proofsAt("_acme-challenge.wild.gw.example"), Texts{valueOf(proof)});
    solver.remove(proof);
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverTest, removesWhatACrashedRunPresented) {
    const Proof proof = proofOf("gw.example");
    solver().present(proof);
    solver().remove(proof);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});

    solver().present(proof);  // and its order is never gone on with
    EXPECT_EQ(solver().clearAway(), 0);
    EXPECT_EQ(knot_.proofsAt(owner_).size(), 1u) << "the run may still be on";
    makeOld(std::chrono::hours(25));
    EXPECT_EQ(solver().clearAway(), 0);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverTest, removesLaterWhereTheServerIsAway) {
    DnsSolver solver = this->solver();
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    knot_.stopPrimary();
    solver.remove(proof);
    try {
        solver.clearAway();
        FAIL() << "cleared away";
    } catch (const Error& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("removing the record " + owner_ + ": "))
            << error.what();
    }
    knot_.startPrimary();
    EXPECT_EQ(knot_.proofsAt(owner_).size(), 1u) << "knot keeps it in its journal";
    EXPECT_EQ(this->solver().clearAway(), 0);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
}

// A name server that hears what it is told and says nothing: each connection is closed.
class DeafServer {
  public:
    DeafServer() {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const address = reinterpret_cast<sockaddr*>(&any);
        socklen_t size = sizeof any;
        EXPECT_EQ(::bind(socket_.get(), address, size), 0);
        EXPECT_EQ(::listen(socket_.get(), 4), 0);
        EXPECT_EQ(::getsockname(socket_.get(), address, &size), 0);
        port_ = ntohs(any.sin_port);
        thread_ = std::jthread([this](const std::stop_token& stop) {
            pollfd waiting{socket_.get(), POLLIN, 0};
            while (!stop.stop_requested())
                if (::poll(&waiting, 1, 20) > 0) hear();
        });
    }
    net::DnsServer server() const { return {"127.0.0.1", port_}; }
    int heard() const { return heard_; }

  private:
    void hear() {
        const hal::UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char first = 0;
        if (::recv(connection.get(), &first, 1, 0) == 1) ++heard_;
    }

    const hal::UniqueFd socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port_ = 0;
    std::atomic<int> heard_ = 0;
    std::jthread thread_;
};

TEST_F(DnsSolverTest, triesAServerThatDoesNotAnswerForOneRecordInARound) {
    for (const char* name : {"gw.example", "one.gw.example", "www.gw.example", "proofs.example"})
        solver().present(proofOf(name));
    makeOld(std::chrono::hours(25));
    const DeafServer deaf;
    DnsSettings away = knot_.settings();
    away.servers = {knot_.primary()};
    std::get<DnsUpdateSettings>(away.means).server = deaf.server();
    std::vector<DnsSettings> tables(3, away);
    tables[0].zones = {"gw.example"};
    tables[1].zones = {"www.gw.example"};
    tables[2] = knot_.settings();
    tables[2].zones = {"proofs.example"};
    DnsSolver solver(ChallengeKind::dns01, std::make_shared<DnsZones>(tables, hal::CommandRunner()),
                     knot_.primary(), state_ / "records");
    EXPECT_THROW(net::DnsClient(deaf.server()).remove({"gw.example", owner_, "text"}, knot_.key()), Error);
    const int once = deaf.heard();
    EXPECT_THROW(solver.clearAway(), Error);
    EXPECT_EQ(deaf.heard(), 2 * once) << "whichever table a record is of";
    EXPECT_EQ(knot_.proofsAt("_acme-challenge.proofs.example"), Texts{}) << "another server";
    EXPECT_THROW(solver.clearAway(), Error);
    EXPECT_EQ(deaf.heard(), 3 * once) << "the next round tries again";
    EXPECT_EQ(this->solver().clearAway(), 0);
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverTest, followsAliasesIntoAZoneOfOurs) {
    DnsSettings settings = knot_.settings();
    settings.zones = {"proofs.example"};
    DnsSolver solver = solverWith(settings);
    const Proof proof = proofOf("away.gw.example");
    EXPECT_EQ(solver.whyNot(proof.identifier, {account}), "");
    solver.present(proof);
    awaitVisible(solver, proof);
    EXPECT_EQ(knot_.proofsAt("away.proofs.example"), Texts{valueOf(proof)});
    solver.remove(proof);
    EXPECT_EQ(knot_.proofsAt("away.proofs.example"), Texts{});

    EXPECT_EQ(
        solver.whyNot(parseIdentifier("*.gw.example"), {account}),
        "has no zone for _acme-challenge.gw.example (add it to [[dns]], or make that name an alias into one "
        "of the zones there)");
    EXPECT_THROW(solver.present(proofOf("gw.example")), Error);
    EXPECT_THROW(this->solver().whyNot(parseIdentifier("circle.gw.example"), {account}), Error);
}

TEST_F(DnsSolverTest, provesOneAccountBesideOthers) {
    DnsSolver solver(ChallengeKind::dnsAccount01, knot_.table(), knot_.primary(), state_ / "records");
    const std::string labelled = "_ujmmovf2vn55tgye." + owner_;
    const Proof proof = proofOf("*.gw.example");
    EXPECT_EQ(solver.whyNot(proof.identifier, {account}), "");
    solver.present(proof);
    awaitVisible(solver, proof);
    EXPECT_EQ(knot_.proofsAt(labelled), Texts{valueOf(proof)});
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    solver.remove(proof);
    EXPECT_EQ(knot_.proofsAt(labelled), Texts{});
}

TEST_F(DnsSolverTest, waitsForAServerThatHasNotGotItYet) {
    const KnotServers knot(false);
    DnsSolver solver = solverOf(knot, knot.settings());
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    const auto missing = solver.missing(proof);
    ASSERT_TRUE(missing.has_value());
    EXPECT_EQ(missing->what, "the record " + owner_ + " at ns2.gw.example (127.0.0.2)");
    EXPECT_TRUE(missing->certain) << "a CA that asks this one fails";
    solver.remove(proof);
}

TEST_F(DnsSolverTest, doesNotDependOnAServerThatIsAway) {
    knot_.stopSecondary();
    DnsSolver solver = this->solver();
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    const auto missing = solver.missing(proof);
    ASSERT_TRUE(missing.has_value());
    EXPECT_FALSE(missing->certain) << "a CA asks the other one";
    solver.remove(proof);

    DnsSettings listed = knot_.settings();
    listed.servers = {knot_.primary()};
    DnsSolver toPrimary = solverWith(listed);
    toPrimary.present(proof);
    EXPECT_FALSE(toPrimary.missing(proof).has_value()) << "only the servers that are listed count";
    toPrimary.remove(proof);
}

// A program, played by a function that changes knot, or fails.
class DnsSolverOfAProgram : public DnsSolverTest {
  protected:
    DnsSolver programmed(std::vector<net::DnsServer> servers) {
        DnsSettings settings = knot_.settings();
        settings.servers = std::move(servers);
        settings.means = DnsHookSettings{.program = "/hook"};
        return {ChallengeKind::dns01, KnotServers::tableOf(settings, runner_), knot_.primary(),
                state_ / "records"};
    }
    DnsSolver programmed() { return programmed({knot_.primary(), knot_.secondary()}); }
    // The names of gw.example by the program, those of proofs.example by updates.
    DnsSolver halfProgrammed() {
        DnsSettings hooked = knot_.settings();
        hooked.zones = {"gw.example"};
        hooked.servers = {knot_.primary()};
        hooked.means = DnsHookSettings{.program = "/hook"};
        DnsSettings updated = knot_.settings();
        updated.zones = {"proofs.example"};
        return {ChallengeKind::dns01, std::make_shared<DnsZones>(std::vector{hooked, updated}, runner_),
                knot_.primary(), state_ / "records"};
    }
    // The program hangs, at what `work` has it do, for as long as `meanwhile` goes on.
    void whileItHangs(const std::function<void()>& work, const std::function<void()>& meanwhile) {
        begun_ = false;
        hangs_ = true;
        std::future<void> working = std::async(std::launch::async, work);
        testing_support::waitUntil("the program has begun", [&] { return begun_.load(); });
        meanwhile();
        hangs_ = false;
        working.get();
    }
    hal::CommandResult play(const Texts& argv) {
        begun_ = true;
        testing_support::waitUntil("the program may go on", [&] { return !hangs_; });
        calls_ += (calls_.empty() ? "" : " ") + argv.at(1);
        const net::DnsRecord record{"gw.example", argv.at(2).substr(0, argv.at(2).size() - 1), argv.at(3)};
        const net::DnsClient primary(knot_.primary());
        if (argv.at(1) == "present" || !fails_) {
            argv.at(1) == "present" ? primary.add(record, knot_.key()) : primary.remove(record, knot_.key());
            return {};
        }
        return {failure_, 1, "no"};
    }

    const hal::CommandRunner runner_ = [this](const Texts& argv, auto, const Texts&, std::string_view,
                                              const std::stop_token& stop) {
        return stop.stop_requested() ? hal::CommandResult{hal::CommandResult::End::stopped, 0, ""}
                                     : play(argv);
    };
    bool fails_ = false;  // to take away
    hal::CommandResult::End failure_ = hal::CommandResult::End::exited;
    std::atomic<bool> begun_ = false;
    std::atomic<bool> hangs_ = false;
    std::string calls_;
};

TEST_F(DnsSolverOfAProgram, presentsAndRemoves) {
    DnsSolver solver = programmed();
    const Proof proof = proofOf("gw.example");
    EXPECT_EQ(solver.whyNot(proof.identifier, {account}), "");
    solver.present(proof);
    awaitVisible(solver, proof);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{valueOf(proof)});
    solver.remove(proof);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
    EXPECT_EQ(calls_, "present cleanup");
}

TEST_F(DnsSolverOfAProgram, looksAtNoServersThatItDoesNotKnow) {
    // The zone's NS records lead to port 53, where nobody is.
    DnsSolver solver = programmed({});
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    const auto missing = solver.missing(proof);
    ASSERT_TRUE(missing.has_value());
    EXPECT_EQ(missing->what,
              "the record " + owner_ + " at ns1.gw.example (127.0.0.1), ns2.gw.example (127.0.0.2)");
    solver.remove(proof);
}

TEST_F(DnsSolverOfAProgram, followsAliases) {
    DnsSettings settings = knot_.settings();
    settings.zones = {"proofs.example"};
    settings.means = DnsHookSettings{.form = HookForm::dehydrated, .program = "/hook"};
    DnsSolver solver(ChallengeKind::dns01, KnotServers::tableOf(settings, runner_), knot_.primary(),
                     state_ / "records");
    EXPECT_NE(solver.whyNot(parseIdentifier("away.gw.example"), {account})
                  .find("at away.proofs.example: a hook of"),
              std::string::npos);
    EXPECT_THROW(solver.present(proofOf("away.gw.example")), Error);
    EXPECT_EQ(calls_, "");
}

TEST_F(DnsSolverOfAProgram, triesAgainWhatItCouldNotTakeAway) {
    DnsSolver solver = programmed();
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    fails_ = true;
    solver.remove(proof);
    EXPECT_THROW(solver.clearAway(), Error);
    EXPECT_TRUE(recordsLeft());
    fails_ = false;
    EXPECT_EQ(solver.clearAway(), 0);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverOfAProgram, believesTheServersWhereARecordIsGone) {
    DnsSolver solver = programmed({knot_.primary()});
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    fails_ = true;
    solver.remove(proof);
    makeOld(std::chrono::minutes(61));
    EXPECT_THROW(solver.clearAway(), Error) << "it is there";
    net::DnsClient(knot_.primary()).remove({"gw.example", owner_, valueOf(proof)}, knot_.key());
    makeOld(std::chrono::minutes(59));
    EXPECT_THROW(solver.clearAway(), Error) << "it may be on its way";
    makeOld(std::chrono::minutes(61));
    EXPECT_EQ(solver.clearAway(), 0);
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverOfAProgram, leavesAStopToTheNextRun) {
    const Proof proof = proofOf("gw.example");
    {
        DnsSolver solver = programmed();
        solver.present(proof);
        solver.stop();
        solver.remove(proof);
        EXPECT_EQ(calls_, "present");
    }
    DnsSolver next = programmed();
    next.present(proof);
    EXPECT_EQ(next.clearAway(), 0) << "it is in use again";
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{valueOf(proof)});
    next.remove(proof);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverOfAProgram, holdsUpNoNameOfAnotherTableWhileItHangs) {
    DnsSolver solver = halfProgrammed();
    const Proof stuck = proofOf("gw.example");
    const Proof other = proofOf("proofs.example");
    solver.present(stuck);
    makeOld(std::chrono::hours(25));
    whileItHangs([&] { EXPECT_EQ(solver.clearAway(), 0); },
                 [&] {
                     solver.present(other);
                     EXPECT_EQ(knot_.proofsAt("_acme-challenge.proofs.example"), Texts{valueOf(other)});
                     solver.remove(other);
                     EXPECT_EQ(knot_.proofsAt("_acme-challenge.proofs.example"), Texts{});
                 });
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverOfAProgram, doesNotTakeAwayTwiceAtOnce) {
    DnsSolver solver = programmed();
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    whileItHangs([&] { solver.remove(proof); },
                 [&] { EXPECT_EQ(solver.clearAway(), 1) << "looks again later"; });
    EXPECT_EQ(solver.clearAway(), 0);
    EXPECT_EQ(calls_, "present cleanup");
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverOfAProgram, presentsAgainAfterItWasTakenAway) {
    DnsSolver solver = programmed();
    const Proof proof = proofOf("gw.example");
    solver.present(proof);
    makeOld(std::chrono::hours(25));
    std::future<void> again;
    whileItHangs([&] { EXPECT_EQ(solver.clearAway(), 0); },
                 [&] {
                     again = std::async(std::launch::async, [&] { solver.present(proof); });
                     EXPECT_EQ(again.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
                 });
    again.get();
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{valueOf(proof)});
    solver.remove(proof);
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{}) << "it is known to be there";
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverOfAProgram, hangsOnceInARound) {
    DnsSolver solver = halfProgrammed();
    for (const char* name : {"gw.example", "www.gw.example", "proofs.example"}) solver.present(proofOf(name));
    makeOld(std::chrono::hours(25));
    fails_ = true;
    failure_ = hal::CommandResult::End::timedOut;
    EXPECT_THROW(solver.clearAway(), Error);
    EXPECT_EQ(calls_, "present present cleanup");
    EXPECT_EQ(knot_.proofsAt("_acme-challenge.proofs.example"), Texts{}) << "another table";
    fails_ = false;
    EXPECT_EQ(solver.clearAway(), 0);
    EXPECT_EQ(calls_, "present present cleanup cleanup cleanup");
    EXPECT_FALSE(recordsLeft());
}

TEST_F(DnsSolverTest, refusesASecretThatOthersCanRead) {
    std::filesystem::permissions(knot_.folder() / "secret", std::filesystem::perms(0644));
    DnsSolver solver = this->solver();
    try {
        solver.present(proofOf("gw.example"));
        FAIL() << "presented";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "bad-secret-file");
        EXPECT_NE(std::string(error.what()).find("found mode 0644, expected 0600"), std::string::npos);
    }
    EXPECT_EQ(knot_.proofsAt(owner_), Texts{});
}

}  // namespace
}  // namespace certmgr::acme
