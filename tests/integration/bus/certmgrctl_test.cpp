// certmgrctl end to end: the program against the real service, bus and polkit.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/pem.h>

#include "tests/integration/bus/bus_host.h"

namespace certmgr::bus {
namespace {

using Json = nlohmann::json;
using testing_support::ChildProcess;
using testing_support::FakeCommands;
using testing_support::RunResult;

class Certmgrctl : public testing::Test {
  protected:
    RunResult ctl(std::vector<std::string> arguments, uid_t uid = 0) {
        arguments.insert(arguments.begin(), uid == 0 ? CERTMGRCTL : openToAll(CERTMGRCTL));
        return testing_support::run(arguments, host.bus.options(uid));
    }
    Json json(std::vector<std::string> arguments, int status = 0) {
        arguments.emplace_back("--json");
        const RunResult result = ctl(arguments);
        EXPECT_EQ(result.status, status) << result.output;
        // A failing job's JSON is followed by its sentence on standard error.
        const Json parsed =
            Json::parse(result.output.substr(0, result.output.rfind("certmgrctl: ")), nullptr, false);
        EXPECT_FALSE(parsed.is_discarded()) << result.output;
        return parsed;
    }

    // A copy: the tree may lie in a folder that is closed to others.
    std::string openToAll(const std::filesystem::path& file) {
        const std::filesystem::path copy = folder / file.filename();
        std::filesystem::copy_file(file, copy, std::filesystem::copy_options::skip_existing);
        return copy;
    }

    BusHost host;
    testing_support::TemporaryDirectory folder;
};

TEST_F(Certmgrctl, ListsWhatTheBoxTrusts) {
    EXPECT_EQ(ctl({"trust", "list"}, nobody).output, "The box trusts nobody.\n");
    host.run([](FakeCommands& commands) {
        engine::TrustAnchor anchor;
        anchor.summary.subject = "CN=Old Root";
        anchor.summary.issuer = "CN=Old Root";
        anchor.summary.sha256 = "0a1b";
        anchor.summary.notBefore = TimePoint(seconds(1'600'000'000));
        anchor.summary.notAfter = TimePoint(seconds(1'700'000'000));
        anchor.expired = true;
        commands.trusted.anchors = {anchor};
        anchor.summary.subject = "CN=Cross\xff";
        anchor.expired = false;
        anchor.own = true;
        commands.trusted.anchors.push_back(anchor);
    });
    const std::string table = ctl({"trust", "list"}, nobody).output;
    EXPECT_NE(table.find("CN=Old Root  itself"), std::string::npos) << table;
    EXPECT_NE(table.find("2020-09-13  2023-11-14   expired  -    0a1b\n"), std::string::npos) << table;
    EXPECT_NE(table.find("-        own  0a1b\n"), std::string::npos) << table;
    const Json anchors = json({"trust", "list"});
    EXPECT_EQ(anchors.at(0), Json({{"Subject", "CN=Old Root"},
                                   {"Issuer", "CN=Old Root"},
                                   {"Sha256", "0a1b"},
                                   {"NotBefore", 1'600'000'000},
                                   {"NotAfter", 1'700'000'000},
                                   {"Expired", true},
                                   {"Own", false}}));
    EXPECT_EQ(anchors.at(1).at("Own"), true);
}

TEST_F(Certmgrctl, SaysWhyWhatTheBoxTrustsCannotBeRead) {
    host.run([](FakeCommands& commands) {
        commands.trusted.failure = Error(ErrorKind::misconfigured, "bad-trust-store", "it is damaged");
    });
    const RunResult refused = ctl({"trust", "list"}, nobody);
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.output.find("it is damaged"), std::string::npos) << refused.output;
    EXPECT_EQ(ctl({"trust"}).status, 2);
}

TEST_F(Certmgrctl, ListsAndShows) {
    const RunResult list = ctl({"list"}, nobody);
    EXPECT_EQ(list.status, 0);
    EXPECT_NE(list.output.find("gw.example +1  local  tpm"), std::string::npos) << list.output;
    EXPECT_NE(list.output.find("\n  ! order: the CA answered HTML\n"), std::string::npos) << list.output;
    EXPECT_EQ(json({"list"}).size(), 2U);
    EXPECT_EQ(json({"show", "gw.example"}).at("Id"), "gw.example+0a1b2c3d");
    EXPECT_EQ(json({"show", "WWW.gw.example."}).at("Id"), "gw.example+0a1b2c3d");
    EXPECT_EQ(json({"show", "used.example"}).at("Pem"), "PEM of used.example");
    const std::string shown = ctl({"show", "used.example"}, nobody).output;
    EXPECT_NE(shown.find("Pem: PEM of used.example\n"), std::string::npos);
    EXPECT_TRUE(
        shown.starts_with("Service web-ui: rolled back: the old leaf was served; last proved 2023-11-14"))
        << shown;
    EXPECT_NE(shown.find("; next attempt 2027-01-15"), std::string::npos) << shown;
    EXPECT_NE(shown.find("Orders lost: 1, the newest begun 2023-11-14"), std::string::npos) << shown;
    const Json deployments = json({"show", "used.example"}).at("Deployments");
    EXPECT_EQ(deployments.at(0).at("Service"), "web-ui");
    EXPECT_EQ(deployments.at(0).at("NextAttempt"), 1'800'000'000);
    EXPECT_NE(list.output.find("  ! web-ui: rolled back, again in "), std::string::npos) << list.output;
    EXPECT_EQ(ctl({"show", "absent.example"}).status, 5);
}

TEST_F(Certmgrctl, RequestsAndWaits) {
    const RunResult result = ctl({"request", "a.example", "b.example", "--key-policy", "tpm", "--no-acme"});
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(result.output.ends_with("issued\n")) << result.output;
    host.run([](FakeCommands& commands) {
        ASSERT_EQ(commands.requests.size(), 1U);
        EXPECT_EQ(commands.requests[0].names.size(), 2U);
        EXPECT_EQ(commands.requests[0].keyPolicy, "tpm");
        EXPECT_FALSE(commands.requests[0].acme);
    });
    EXPECT_EQ(json({"request", "c.example", "--profile", "shortlived", "--profile-required"}).at("Result"),
              "issued");
    host.run([](FakeCommands& commands) {
        EXPECT_EQ(commands.requests.back().acmeProfile, (AcmeProfile{"shortlived", true}));
    });
    EXPECT_EQ(ctl({"request", "c.example", "--profile-required"}).status, 2);
    EXPECT_EQ(ctl({"request", "c.example", "--profile", "shortlived", "--no-acme"}).status, 2);
    EXPECT_EQ(json({"request", "c.example", "--no-wait"}).at("State"), "started");
    EXPECT_EQ(ctl({"request", "two words"}).status, 6);
    const RunResult failed = ctl({"request", "broken.example"});
    EXPECT_EQ(failed.status, 1);
    EXPECT_TRUE(failed.output.ends_with("certmgrctl: the CA refused the connection\n")) << failed.output;
    EXPECT_EQ(json({"request", "broken.example"}, 1).at("ErrorCode"), "connection-refused");
}

TEST_F(Certmgrctl, Uploads) {
    EXPECT_EQ(json({"upload", CERTMGR_TEST_ROOT_PEM, "--dry-run"}).at("Result"), "would be accepted");
    host.run([](FakeCommands& commands) {
        EXPECT_EQ(commands.uploaded, testing_support::readFile(CERTMGR_TEST_ROOT_PEM));
    });
    const auto shell = [&](const std::string& script) {
        return testing_support::run({"sh", "-c", script}, host.bus.options());
    };
    EXPECT_EQ(shell(std::string(CERTMGRCTL) + " upload - < " CERTMGR_TEST_ROOT_PEM).status, 0);
    EXPECT_EQ(shell("cat " CERTMGR_TEST_ROOT_PEM " | " + std::string(CERTMGRCTL) + " upload -").status, 0);
    const std::string both =
        "(echo 'correct horse'; cat " CERTMGR_TEST_ROOT_PEM ") | " + std::string(CERTMGRCTL);
    EXPECT_EQ(shell(both + " upload --passphrase-fd 0 -").status, 0);
    host.run([](FakeCommands& commands) {
        EXPECT_EQ(commands.passphrase, "correct horse");
        EXPECT_EQ(commands.uploaded, testing_support::readFile(CERTMGR_TEST_ROOT_PEM));
    });
    EXPECT_EQ(shell("yes | tr -d '\\n' | " + std::string(CERTMGRCTL) + " upload --passphrase-fd 0 -").status,
              6);
    EXPECT_EQ(ctl({"upload", "-", "--passphrase", "--passphrase-fd", "0"}).status, 2);
    EXPECT_EQ(ctl({"upload", CERTMGR_TEST_ROOT_PEM, CERTMGR_TEST_ROOT_PEM}).status, 0);
    host.run([](FakeCommands& commands) {
        const std::string root = testing_support::readFile(CERTMGR_TEST_ROOT_PEM);
        EXPECT_EQ(commands.uploaded, root + root);
        EXPECT_EQ(commands.passphrase, "");
    });
    EXPECT_EQ(shell("yes | " + std::string(CERTMGRCTL) + " upload -").status, 6);
    testing_support::writeFile(folder / "no.pem", "this is no PEM");
    const RunResult bad = ctl({"upload", folder / "no.pem"});
    EXPECT_EQ(bad.status, 6);
    EXPECT_TRUE(bad.output.ends_with("certmgrctl: found no PEM block, expected a chain\n")) << bad.output;
    EXPECT_EQ(ctl({"upload", folder / "absent.pem"}).status, 6);
}

TEST_F(Certmgrctl, ListsAndDeletesUploads) {
    const std::string table = ctl({"list", "--uploaded"}).output;
    EXPECT_NE(table.find("CN=Company issuing"), std::string::npos) << table;
    EXPECT_EQ(json({"list", "--uploaded"}).at(0).at("Id"), "7");
    EXPECT_EQ(ctl({"delete", "--uploaded", "8"}).status, 5);
    EXPECT_EQ(ctl({"delete", "--uploaded", "7"}).status, 0);
    EXPECT_EQ(ctl({"list", "--uploaded"}).output, "There are no uploads.\n");
}

TEST_F(Certmgrctl, ReissuesAndDeletes) {
    EXPECT_EQ(json({"reissue", "gw.example"}).at("Result"), "reissued");
    EXPECT_EQ(ctl({"delete", "used.example"}).status, 6);
    EXPECT_EQ(ctl({"delete", "gw.example", "--dry-run"}).status, 6) << "a service uses it";
    EXPECT_EQ(ctl({"show", "gw.example"}).status, 0) << "it is still there";
    EXPECT_EQ(json({"delete", "gw.example"}).at("Result"), "deleted");
    EXPECT_EQ(ctl({"delete", "gw.example"}).status, 5);
}

TEST_F(Certmgrctl, ShowsAndDownloadsTheAuthority) {
    EXPECT_EQ(json({"authority", "show"}).at(0).at("Role"), "root");
    EXPECT_EQ(ctl({"authority", "download"}, nobody).output,
              testing_support::readFile(CERTMGR_TEST_ROOT_PEM));
    EXPECT_EQ(ctl({"authority", "download", "--der", "-o", folder / "root.der"}).status, 0);
    const std::string der = testing_support::readFile(folder / "root.der");
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    EXPECT_TRUE(hal::X509Ptr(d2i_X509(nullptr, &in, static_cast<long>(der.size()))));
    EXPECT_EQ(ctl({"authority", "download", "-o", "/absent/root.pem"}).status, 1);
}

TEST_F(Certmgrctl, IssuesForOthers) {
    testing_support::writeFile(folder / "a.csr", "the request");
    const RunResult toStandardOutput = ctl({"authority", "sign", folder / "a.csr", "--cn", "Anna"});
    EXPECT_EQ(toStandardOutput.status, 0) << toStandardOutput.output;
    EXPECT_NE(toStandardOutput.output.find("the certificate\n"), std::string::npos);
    EXPECT_NE(toStandardOutput.output.find("serial 0badcafe\n"), std::string::npos);
    const std::string bundle = folder / "anna.p12";
    const auto issue = [&](const std::string& more) {
        return testing_support::run({"sh", "-c",
                                     "echo sesame | " CERTMGRCTL " authority issue Anna --server --dns "
                                     "gw.example --email anna@example.org --passphrase-fd 0 -o " +
                                         bundle + more},
                                    host.bus.options());
    };
    EXPECT_EQ(issue("").status, 0);
    EXPECT_EQ(testing_support::readFile(bundle), "the bundle as pkcs12");
    EXPECT_EQ(std::filesystem::status(bundle).permissions(), std::filesystem::perms(0600));
    EXPECT_EQ(issue("").status, 6) << "what is there is not overwritten";
    host.run([](FakeCommands& commands) {
        EXPECT_EQ(commands.given, "sesame");
        EXPECT_EQ(commands.holder.purpose, "server");
        EXPECT_EQ(commands.holder.names,
                  (std::vector<std::string>{"dns:gw.example", "email:anna@example.org"}));
    });
    EXPECT_EQ(ctl({"authority", "issue", "x", "--client", "--server", "-o", "y"}).status, 2);
    EXPECT_EQ(json({"authority", "revoke", "0badcafe", "--reason", "superseded"}).at("Result"),
              "0badcafe is revoked: superseded");
}

TEST_F(Certmgrctl, ListsAllThatWasIssued) {
    EXPECT_EQ(ctl({"authority", "list"}).output, "Nothing was issued to others.\n");
    host.run([](FakeCommands& commands) {
        for (const int number : {1, 2}) {
            IssuedCertificate& one = commands.issuedThere.emplace_back();
            one.number = number;
            one.summary.serial = "0badcafe";
            one.names = parseAlternativeNames({"email:anna@example.org"});
        }
        commands.issuedThere.back().revocation = {TimePoint(seconds(1'700'000'000)),
                                                  RevocationReason::superseded};
    });
    const Json all = json({"authority", "list"});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all.at(1).at("RevocationReason"), "superseded");
    EXPECT_NE(ctl({"authority", "list"}, nobody).output.find("2023-11-14, superseded"), std::string::npos);
}

TEST_F(Certmgrctl, ListsTheAcmeAccounts) {
    EXPECT_EQ(ctl({"acme", "list"}, nobody).output,
              "There are no CAs: see [[acme.ca]] in certmgr.toml(5).\n");
    host.run([](FakeCommands& commands) {
        commands.acmeAccounts = {{.ca = "main",
                                  .directory = "https://ca.example/dir",
                                  .url = "https://ca.example/acct/1",
                                  .externalKey = "kid-1",
                                  .contacts = {"mailto:a@gw.example"},
                                  .terms = "https://ca.example/terms-2",
                                  .termsAgreed = "https://ca.example/terms-1",
                                  .termsAgreedAt = TimePoint(seconds(1'700'000'000))},
                                 {.ca = "trial", .directory = "https://test.example/dir", .forTests = true}};
    });
    EXPECT_EQ(
        ctl({"acme", "list"}, nobody).output,
        "CA     DIRECTORY                 FOR    ACCOUNT                    BOUND BY  CONTACTS\n"
        "main   https://ca.example/dir    use    https://ca.example/acct/1  kid-1     mailto:a@gw.example\n"
        "    agreed to https://ca.example/terms-1 on 2023-11-14\n"
        "  ! its terms are now https://ca.example/terms-2\n"
        "trial  https://test.example/dir  tests  -                          -         -\n");
    const Json accounts = json({"acme", "list"});
    EXPECT_EQ(accounts.at(0).at("TermsAgreedAt"), 1'700'000'000);
    EXPECT_EQ(accounts.at(1).at("ForTests"), true);
    EXPECT_EQ(ctl({"acme"}).status, 2);
}

TEST_F(Certmgrctl, ShowsWhatIsUsedOfTheLimitsOfACaAndLeavesOutWhatHasRoom) {
    EXPECT_EQ(ctl({"acme", "budget"}, nobody).output,
              "There are no CAs: see [[acme.ca]] in certmgr.toml(5).\n");
    const auto set = [](int number, int used) {
        return engine::BudgetEntry{
            {LimitKind::certificatesPerSet, "", "n" + std::to_string(number) + ".example"},
            {LimitKind::certificatesPerSet, 5, std::chrono::hours(24 * 7), 1},
            used,
            std::nullopt,
            {}};
    };
    host.run([&](FakeCommands& commands) {
        engine::CaBudget main{"main", false, true, TimePoint(seconds(4'000'000'000)), {}};
        for (int number = 0; number < 1000; ++number) main.entries.push_back(set(number, 1));
        main.entries.push_back(set(1000, 3));
        main.entries.push_back({{LimitKind::orders, "https://ca.example/acct/1", ""},
                                {LimitKind::orders, 300, std::chrono::hours(3), 30},
                                270,
                                TimePoint(seconds(4'000'000'000)),
                                {12, TimePoint(seconds(3'999'000'000))}});
        commands.budgets.cas = {main, {"trial", true, false, TimePoint(), {}}};
    });
    const std::string shown = ctl({"acme", "budget"}, nobody).output;
    std::vector<std::string> lines;
    for (std::istringstream text(shown); std::getline(text, lines.emplace_back());) continue;
    ASSERT_EQ(lines.size(), 7U) << shown;
    EXPECT_TRUE(lines[0].starts_with("main, with the orders planned until 2096-10-02 07:06:40 UTC (in "))
        << shown;
    EXPECT_TRUE(
        lines[1].starts_with("LIMIT                 OF                         USED                   KEPT"))
        << shown;
    EXPECT_TRUE(lines[2].starts_with(
        "orders                https://ca.example/acct/1  270 of 300 in 3 hours  30    in "))
        << shown;
    EXPECT_NE(lines[2].find("12       2096-09-20"), std::string::npos) << shown;
    EXPECT_TRUE(lines[3].starts_with("certificates-per-set  n1000.example              3 of 5 in 7 days"))
        << shown;
    EXPECT_EQ(lines[4], "1000 more with room; --all shows them");
    EXPECT_EQ(lines[5],
              "trial (for tests): its limits are not known; see [[acme.ca.limit]] in certmgr.toml(5)");
    const std::string all = ctl({"acme", "budget", "--all", "--ca", "main"}).output;
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 1004);
    const Json budgets = json({"acme", "budget"});
    ASSERT_EQ(budgets.at(0).at("Buckets").size(), 1002U);
    const Json expected{{"Limit", "orders"},
                        {"Subject", ""},
                        {"Account", "https://ca.example/acct/1"},
                        {"Count", 300},
                        {"WindowSeconds", 10800},
                        {"Used", 270},
                        {"Reserve", 30},
                        {"NextAllowed", 4'000'000'000},
                        {"Planned", 12},
                        {"UsedUpFrom", 3'999'000'000}};
    EXPECT_EQ(budgets.at(0).at("Buckets").at(1001), expected);
    EXPECT_EQ(ctl({"acme", "budget", "--ca", "none"}).status, 6);
    host.run([](FakeCommands& commands) {
        commands.budgets.failure = Error(ErrorKind::internal, "database-corrupt", "the database is damaged");
    });
    EXPECT_EQ(ctl({"acme", "budget"}).status, 1);
}

TEST_F(Certmgrctl, SaysWhatWouldMakeACaRefuseANameAndFailsWhereThatIsCertain) {
    const engine::PreflightEntry clear{
        "gw.example", "", {PreflightCheck::address, PreflightVerdict::ok, "gw.example leads here"}};
    const engine::PreflightEntry unknown{
        "gw.example", "main", {PreflightCheck::caa, PreflightVerdict::uncertain, "no answer"}};
    const engine::PreflightEntry forbidden{
        "www.example", "main", {PreflightCheck::caa, PreflightVerdict::blocked, "only other.example may"}};
    host.run([&](FakeCommands& commands) { commands.found.entries = {clear, unknown}; });
    EXPECT_EQ(ctl({"acme", "preflight", "gw.example"}).output,
              "gw.example\n"
              "  ok         address    gw.example leads here\n"
              "  uncertain  caa        main: no answer\n");
    host.run([&](FakeCommands& commands) { commands.found.entries = {clear, forbidden}; });
    const RunResult refused = ctl({"acme", "preflight", "gw.example", "www.example"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_TRUE(
        refused.output.ends_with("www.example\n"
                                 "  blocked    caa        main: only other.example may\n"
                                 "certmgrctl: an attempt would fail: www.example\n"))
        << refused.output;
    EXPECT_EQ(json({"acme", "preflight", "gw.example"}, 1).at(1),
              Json({{"Name", "www.example"},
                    {"Ca", "main"},
                    {"Check", "caa"},
                    {"Finding", "blocked"},
                    {"Sentence", "only other.example may"}}));
    const RunResult noName = ctl({"acme", "preflight", "two words"});
    EXPECT_EQ(noName.status, 6);
    EXPECT_TRUE(noName.output.starts_with("certmgrctl: ")) << noName.output;
    EXPECT_EQ(ctl({"acme", "preflight", "gw.example"}, nobody).status, 4);
    EXPECT_EQ(ctl({"acme", "preflight"}).status, 2);
    host.run([](FakeCommands& commands) {
        commands.found.failure = Error(ErrorKind::transient, "resolver-slow", "the resolver is slow");
    });
    EXPECT_EQ(ctl({"acme", "preflight", "gw.example"}).status, 1);
}

TEST_F(Certmgrctl, PrintsTheRecordThatProvesANameForEver) {
    const engine::PersistRecordEntry put{"main",
                                         false,
                                         "https://ca.example/acct/1",
                                         "_validation-persist.gw.example",
                                         "ca.example; accounturi=https://ca.example/acct/1",
                                         "_validation-persist.gw.example. IN TXT \"ca.example; "
                                         "accounturi=https://ca.example/acct/1\"",
                                         true,
                                         "one that fits is there, without an end"};
    const engine::PersistRecordEntry none{"other", false, "",    "_validation-persist.gw.example",
                                          "",      "",    false, "there is no account yet"};
    host.run([&](FakeCommands& commands) { commands.records.entries = {put, none}; });
    EXPECT_EQ(ctl({"acme", "persist-record", "gw.example"}).output,
              "; main: one that fits is there, without an end\n" + put.line +
                  "\n; other: there is no account yet\n");
    EXPECT_EQ(
        ctl({"acme", "persist-record", "gw.example", "--ca", "main", "--wildcard", "--until", "2027-12-31"})
            .status,
        0);
    host.run([&](FakeCommands& commands) {
        EXPECT_EQ(commands.persistAsked.ca, "main");
        EXPECT_TRUE(commands.persistAsked.wildcard);
        EXPECT_EQ(formatTime(commands.persistAsked.until.value()), "2027-12-31T23:59:59Z");
    });
    const Json records = json({"acme", "persist-record", "gw.example"});
    EXPECT_EQ(records.at(0).at("Record"), put.record);
    EXPECT_EQ(records.at(0).at("There"), true);
    host.run([&](FakeCommands& commands) {
        EXPECT_EQ(commands.persistAsked.until, std::nullopt);
        commands.records.entries = {none};
    });
    const RunResult nowhere = ctl({"acme", "persist-record", "gw.example"});
    EXPECT_EQ(nowhere.status, 1);
    EXPECT_TRUE(nowhere.output.ends_with(
        "certmgrctl: no record can be made for any of them: the reasons stand above\n"))
        << nowhere.output;
    EXPECT_EQ(ctl({"acme", "persist-record", "gw.example", "--until", "tomorrow"}).status, 2);
    EXPECT_EQ(ctl({"acme", "persist-record", "two words"}).status, 6);
    EXPECT_EQ(ctl({"acme", "persist-record", "gw.example"}, nobody).status, 4);
    EXPECT_EQ(ctl({"acme", "persist-record"}).status, 2);
    host.run([](FakeCommands& commands) {
        commands.records.failure = Error(ErrorKind::rejected, "no-such-ca", "there is no CA");
    });
    EXPECT_EQ(ctl({"acme", "persist-record", "gw.example", "--ca", "x"}).status, 6);
}

TEST_F(Certmgrctl, ChangesTheKeyOfAnAccountAndGivesOneUp) {
    EXPECT_EQ(json({"acme", "rollover", "main"}).at("Result"), "another key at main");
    EXPECT_EQ(json({"acme", "deactivate", "main"}).at("Result"), "no account at main");
    for (const std::string command : {"rollover", "deactivate"}) {
        EXPECT_EQ(ctl({"acme", command}).status, 2);
        EXPECT_EQ(ctl({"acme", command, "main"}, games).status, 0) << "they manage";
        EXPECT_EQ(ctl({"acme", command, "main"}, nobody).status, 4);
    }
}

TEST_F(Certmgrctl, RevokesAtTheCa) {
    EXPECT_EQ(
        json({"acme", "revoke", "gw.example", "--reason", "superseded", "--serial", "0badcafe"}).at("Result"),
        "done: 0badcafe (superseded)");
    EXPECT_EQ(json({"acme", "revoke", "gw.example", "--reason", "key-compromise", "--dry-run"}).at("Result"),
              "would be revoked:  (key-compromise)");
    EXPECT_EQ(ctl({"acme", "revoke", "gw.example"}).status, 2) << "without a reason";
    EXPECT_EQ(json({"acme", "revoke", "gw.example", "--now"}).at("Result"), "done:  (), for nobody waited");
    EXPECT_EQ(ctl({"acme", "revoke", "nobody.example", "--reason", "superseded"}).status, 5);
    EXPECT_EQ(ctl({"acme", "revoke", "gw.example", "--reason", "superseded"}, nobody).status, 4);
}

TEST_F(Certmgrctl, ChangesTheAuthority) {
    EXPECT_EQ(json({"authority", "generate", "--dn", "CN=Example CA", "--days", "100"}).at("Result"),
              "CN=Example CA for 100 days");
    EXPECT_EQ(ctl({"authority", "import", CERTMGR_TEST_ROOT_PEM}).status, 0);
    EXPECT_EQ(ctl({"authority", "csr", "-o", folder / "ca.csr"}).status, 0);
    EXPECT_EQ(testing_support::readFile(folder / "ca.csr"), "the request\n");
    EXPECT_EQ(ctl({"authority", "install", CERTMGR_TEST_ROOT_PEM}).status, 0);
    EXPECT_EQ(ctl({"authority", "reissue"}).output.find("reissue-authority begins\nissuing-2 signs now"), 0U);
    EXPECT_EQ(ctl({"authority", "trust"}, nobody).output, "all roots\n");
    EXPECT_EQ(ctl({"authority", "crl"}, nobody).output, "all lists\n");
    for (const std::vector<std::string>& refused : {std::vector<std::string>{"reissue"},
                                                    {"generate", "--dn", "CN=x"},
                                                    {"revoke", "00"},
                                                    {"import", openToAll(CERTMGR_TEST_ROOT_PEM)},
                                                    {"install", openToAll(CERTMGR_TEST_ROOT_PEM)},
                                                    {"csr"}}) {
        std::vector<std::string> command{"authority"};
        command.insert(command.end(), refused.begin(), refused.end());
        EXPECT_EQ(ctl(command, nobody).status, 4) << refused[0];
        EXPECT_EQ(ctl(command, games).status, 4) << "to manage certificates is another right: " << refused[0];
    }
}

TEST_F(Certmgrctl, ListsAndChecksServices) {
    EXPECT_EQ(json({"service", "list"}).at(0).at("Deployments").at(0).at("State"), "rolled-back");
    EXPECT_NE(ctl({"service", "list"}).output.find("rolled-back"), std::string::npos);
    EXPECT_EQ(json({"service", "check", "web-ui"}).at("Result"), "the leaf is served");
    EXPECT_EQ(json({"service", "check"}).at(0).at("Service"), "web-ui");
    EXPECT_EQ(ctl({"service", "check", "absent"}).status, 5);
    host.run([](FakeCommands& commands) {
        engine::ServiceView service;
        service.name = "broken";
        commands.shown.put(service);
    });
    const RunResult all = ctl({"service", "check"});
    EXPECT_EQ(all.status, 1);
    EXPECT_NE(all.output.find("web-ui: the leaf is served\n"), std::string::npos) << all.output;
}

TEST_F(Certmgrctl, TellsAMonitorOfAlarms) {
    const RunResult fine = ctl({"status"}, nobody);
    EXPECT_EQ(fine.status, 0);
    EXPECT_EQ(fine.output, "CERTMGR OK - 2 certificates, no alarm | certificates=2 warnings=0 criticals=0\n");
    engine::AlarmView alarm = sampleAlarm();
    host.run([&](FakeCommands& commands) { commands.shown.put(alarm); });
    const RunResult warning = ctl({"status"});
    EXPECT_EQ(warning.status, 1);
    EXPECT_EQ(warning.output,
              "CERTMGR WARNING - 2 certificates, 1 alarm, failing gw.example: the CA / refused | "
              "certificates=2 warnings=1 criticals=0\n"
              "WARNING failing gw.example: the CA / refused (since 2023-11-14)\n");
    alarm.id = "expiring:gw.example";
    alarm.kind = "expiring";
    alarm.severity = "critical";
    host.run([&](FakeCommands& commands) { commands.shown.put(alarm); });
    const RunResult critical = ctl({"status"});
    EXPECT_EQ(critical.status, 2);
    EXPECT_TRUE(
        critical.output.starts_with("CERTMGR CRITICAL - 2 certificates, 2 alarms, expiring gw.example"))
        << critical.output;
    const Json report = json({"status"}, 2);
    EXPECT_EQ(report.at("Status"), "CRITICAL");
    EXPECT_EQ(report.at("Alarms").at(0).at("Kind"), "expiring") << "the worst first";
    EXPECT_EQ(report.at("Alarms").at(1).at("Since"), 1'700'000'000);
    host.run([&](FakeCommands& commands) {
        for (const char* id : {"expiring:gw.example", "failing:gw.example"})
            commands.shown.remove(engine::Views::Kind::alarm, id);
    });
    EXPECT_EQ(ctl({"status"}).status, 0);
}

TEST_F(Certmgrctl, WhatAMonitorCannotLearnIsUnknown) {
    EXPECT_EQ(ctl({"status", "--frobnicate"}).status, 3);
    EXPECT_EQ(ctl({"status", "--help"}).status, 0);
    host.stop();
    const RunResult daemon = ctl({"status"});
    EXPECT_EQ(daemon.status, 3);
    EXPECT_TRUE(daemon.output.starts_with("CERTMGR UNKNOWN - certmgrd does not answer")) << daemon.output;
    EXPECT_EQ(json({"status"}, 3).at("Status"), "UNKNOWN");
}

TEST_F(Certmgrctl, UserWithoutRightsIsDenied) {
    const std::vector<std::vector<std::string>> commands = {{"request", "a.example"},
                                                            {"upload", openToAll(CERTMGR_TEST_ROOT_PEM)},
                                                            {"reissue", "gw.example"},
                                                            {"delete", "gw.example"},
                                                            {"service", "check"}};
    for (const auto& arguments : commands) {
        const RunResult result = ctl(arguments, nobody);
        EXPECT_EQ(result.status, 4) << arguments[0];
        EXPECT_TRUE(result.output.starts_with("certmgrctl: access denied: ")) << result.output;
    }
    EXPECT_EQ(ctl({"reissue", "gw.example"}, games).status, 0);
}

TEST_F(Certmgrctl, WatchesUntilTheDaemonGoes) {
    ChildProcess::Options options = host.bus.options();
    options.output = folder / "watch";
    ChildProcess watch({CERTMGRCTL, "watch", "--json"}, options);
    int turn = 0;
    testing_support::waitUntil("a change is printed", [&] {
        host.run([&](FakeCommands& commands) {
            engine::CertificateView view = commands.shown.certificates().at("used.example");
            view.activity = "step " + std::to_string(++turn);
            commands.shown.put(view);
        });
        return testing_support::readFile(options.output).find('\n') != std::string::npos;
    });
    std::ifstream lines(options.output);
    std::string line;
    std::getline(lines, line);
    const Json change = Json::parse(line);
    EXPECT_EQ(change.at("Change"), "changed");
    EXPECT_EQ(change.at("Id"), "used.example");
    EXPECT_TRUE(change.at("Properties").at("Activity").get<std::string>().starts_with("step "));
    host.stop();
    EXPECT_EQ(watch.wait(std::chrono::seconds(20)), 3);
}

TEST_F(Certmgrctl, MissingDaemonAndMissingBusAreOneSentence) {
    host.stop();
    const RunResult daemon = ctl({"list"});
    EXPECT_EQ(daemon.status, 3);
    EXPECT_TRUE(daemon.output.starts_with("certmgrctl: certmgrd does not answer")) << daemon.output;
    ChildProcess::Options options;
    options.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + (folder / "absent").string();
    const RunResult bus = testing_support::run({CERTMGRCTL, "list"}, options);
    EXPECT_EQ(bus.status, 3);
    EXPECT_EQ(bus.output, "certmgrctl: the system bus cannot be reached: No such file or directory\n");
}

TEST_F(Certmgrctl, WrongUsageIsTwo) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{}, {"unknown"}, {"show"}, {"list", "--colour"}, {"authority"}})
        EXPECT_EQ(ctl(arguments).status, 2);
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"frobnicate"},
                                                      {"authority", "frobnicate"},
                                                      {"list", "--frobnicate"},
                                                      {"show", "--frobnicate"},
                                                      {"show", "gw.example", "frobnicate"}})
        EXPECT_TRUE(ctl(arguments).output.starts_with("certmgrctl: \"" + arguments.back() + "\" is no "))
            << ctl(arguments).output;
    EXPECT_EQ(ctl({"--version"}).status, 0);
    const RunResult help = ctl({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_NE(help.output.find("Examples:"), std::string::npos);
}

}  // namespace
}  // namespace certmgr::bus
