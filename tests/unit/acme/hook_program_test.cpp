// What a program of the administrator's is called with, what it is given, and what people see of it.
#include "certmgr/acme/solvers/hook_program.h"

#include <thread>

#include <gtest/gtest.h>

#include "certmgr/acme/solvers/hook_output.h"
#include "certmgr/core/error.h"
#include "tests/support/child_process.h"

namespace certmgr::acme {
namespace {

using hal::CommandResult;
using testing_support::TemporaryDirectory;
using Words = std::vector<std::string>;

class HookProgramTest : public testing::Test {
  protected:
    HookProgram hook(HookForm form) {
        DnsHookSettings settings{
            .form = form, .program = "/etc/certmgr/dns_x.sh", .adapter = "/libexec/adapter"};
        settings.environmentFile = environmentFile_;
        settings.limit = std::chrono::seconds(7);
        return {settings,
                [this](const Words& argv, std::chrono::steady_clock::time_point deadline, Words variables,
                       std::string_view input, const std::stop_token&) {
                    calls_.push_back(argv);
                    left_ = deadline - std::chrono::steady_clock::now();
                    variables_ = std::move(variables);
                    EXPECT_EQ(input, "");
                    return result_;
                },
                stop_.get_token()};
    }
    Error failure(const CommandResult& result, HookForm form = HookForm::legoExec) {
        result_ = result;
        try {
            hook(form).add(record_);
        } catch (const Error& error) {
            return error;
        }
        return {ErrorKind::internal, "no error", ""};
    }
    void give(const std::string& environment) {
        environmentFile_ = folder_ / "environment";
        testing_support::writeFile(environmentFile_, environment);
        std::filesystem::permissions(environmentFile_, std::filesystem::perms(0600));
    }

    const ProofRecord record_{{"gw.example", "_acme-challenge.www.gw.example", "-value; $(reboot)"},
                              "the-token"};
    TemporaryDirectory folder_;
    std::filesystem::path environmentFile_;
    std::stop_source stop_;
    CommandResult result_;
    std::vector<Words> calls_;
    Words variables_;
    std::chrono::nanoseconds left_{};
};

TEST_F(HookProgramTest, IsCalledAsTheClientsThatPeopleHaveItFrom) {
    const std::pair<HookForm, std::pair<Words, Words>> forms[] = {
        {HookForm::legoExec,
         {{"/etc/certmgr/dns_x.sh", "present", "_acme-challenge.www.gw.example.", "-value; $(reboot)"},
          {"/etc/certmgr/dns_x.sh", "cleanup", "_acme-challenge.www.gw.example.", "-value; $(reboot)"}}},
        {HookForm::dehydrated,
         {{"/etc/certmgr/dns_x.sh", "deploy_challenge", "www.gw.example", "the-token", "-value; $(reboot)"},
          {"/etc/certmgr/dns_x.sh", "clean_challenge", "www.gw.example", "the-token", "-value; $(reboot)"}}},
        {HookForm::acmeSh,
         {{"/libexec/adapter", "add", "/etc/certmgr/dns_x.sh", "_acme-challenge.www.gw.example",
           "-value; $(reboot)"},
          {"/libexec/adapter", "rm", "/etc/certmgr/dns_x.sh", "_acme-challenge.www.gw.example",
           "-value; $(reboot)"}}},
    };
    for (const auto& [form, calls] : forms) {
        calls_.clear();
        hook(form).add(record_);
        hook(form).remove(record_);
        EXPECT_EQ(calls_, (std::vector<Words>{calls.first, calls.second}));
    }
    EXPECT_EQ(variables_, Words{});
    EXPECT_GT(left_, std::chrono::seconds(6));
    EXPECT_LE(left_, std::chrono::seconds(7));
}

TEST_F(HookProgramTest, IsGivenTheVariablesOfItsFileAsItIsNow) {
    give("# of the account\n\n  API_USER=me \nAPI_KEY='a b=c'\n SAVED_X=\"\"\n");
    HookProgram program = hook(HookForm::legoExec);
    program.add(record_);
    EXPECT_EQ(variables_, (Words{"API_USER=me", "API_KEY=a b=c", "SAVED_X="}));
    testing_support::writeFile(environmentFile_, "API_USER=you");
    program.remove(record_);
    EXPECT_EQ(variables_, Words{"API_USER=you"});
}

TEST_F(HookProgramTest, RefusesAFileOfOtherLinesAndSaysNothingOfIt) {
    for (const std::string line :
         {"export KEY=secret", "secret", "=secret", "1KEY=secret", "K-Y=secret", "K=sec\x01ret"}) {
        give("GOOD=1\n" + line + "\n");
        const Error error = failure({});
        EXPECT_EQ(error.code(), "bad-secret-file") << line;
        EXPECT_TRUE(std::string(error.what()).ends_with(": line 2: expected NAME=value")) << error.what();
    }
    give(std::string(16 * 1024, '#'));
    EXPECT_NE(std::string(failure({}).what()).find("expected less than 16384 octets"), std::string::npos);
    give("KEY=secret");
    std::filesystem::permissions(environmentFile_, std::filesystem::perms(0644));
    EXPECT_NE(std::string(failure({}).what()).find("found mode 0644"), std::string::npos);
    EXPECT_TRUE(calls_.empty());
}

TEST_F(HookProgramTest, FailsWithWhatItWroteAndWithoutSecrets) {
    give("API_KEY=key-of-mine\nDEBUG=1\n");
    const Error error = failure({CommandResult::End::exited, 1, "key-of-mine for the-token:\n1 is wrong"});
    EXPECT_EQ(error.kind(), ErrorKind::transient);
    EXPECT_EQ(error.code(), "dns-hook-failed");
    EXPECT_STREQ(error.what(), "/etc/certmgr/dns_x.sh ended with status 1: $API_KEY for $TOKEN:\n1 is wrong");
}

TEST_F(HookProgramTest, SaysWhichSettingEndedIt) {
    const Error error = failure({CommandResult::End::timedOut, 9, "waiting"}, HookForm::acmeSh);
    EXPECT_EQ(error.kind(), ErrorKind::transient);
    EXPECT_STREQ(error.what(),
                 "/etc/certmgr/dns_x.sh did not end within 7 s, which is timeout_seconds in [[dns]], "
                 "and was killed: waiting");
}

TEST_F(HookProgramTest, OneThatCannotBeStartedIsForTheAdministrator) {
    const Error error = failure({CommandResult::End::notStarted, EACCES, ""}, HookForm::acmeSh);
    EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
    EXPECT_STREQ(error.what(), "/libexec/adapter could not be started: Permission denied");
}

TEST_F(HookProgramTest, OfDehydratedCannotHaveOtherNames) {
    EXPECT_EQ(hook(HookForm::dehydrated).whyNot("_acme-challenge.gw.example"), "");
    EXPECT_EQ(hook(HookForm::legoExec).whyNot("proofs.gw.example"), "");
    EXPECT_EQ(
        hook(HookForm::dehydrated).whyNot("proofs.gw.example"),
        "cannot have /etc/certmgr/dns_x.sh make a record at proofs.gw.example: a hook of dehydrated makes "
        "those of _acme-challenge.DOMAIN alone");
    EXPECT_THROW(hook(HookForm::dehydrated).remove({{"gw.example", "proofs.gw.example", "v"}}), Error);
    EXPECT_TRUE(calls_.empty());
}

TEST_F(HookProgramTest, RunsOnceAtATime) {
    std::atomic<int> running = 0;
    HookProgram program({.program = "/hook"},
                        [&](const Words&, auto, const Words&, std::string_view, const std::stop_token&) {
                            EXPECT_EQ(++running, 1);
                            std::this_thread::sleep_for(std::chrono::milliseconds(5));
                            --running;
                            return CommandResult();
                        },
                        {});
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { program.add(record_); });
}

TEST(HookOutput, NamesSecretsWhereverTheyStand) {
    const std::vector<Secret> secrets{
        {"SHORT", "abc"}, {"USER", "me@example"}, {"KEY", "me@example:1234"}, {"NONE", ""}};
    EXPECT_EQ(withoutSecrets("abc me@example:1234 me@example me@exampl", secrets),
              "abc $KEY $USER me@exampl");
    EXPECT_EQ(withoutSecrets("", secrets), "");
    EXPECT_EQ(withoutSecrets("mple:1234 is wrong", secrets), " is wrong") << "the end of one, at the front";
    EXPECT_EQ(withoutSecrets("p?ss is wrong", {{"KEY",
                                                "p\xff"
                                                "ss"}}),
              "$KEY is wrong")
        << "as the output was made readable";
}

TEST(HookOutput, IsTheLastLines) {
    std::string output;
    for (int i = 0; i < 500; ++i) output += "line " + std::to_string(i) + "\n";
    const std::string text = withoutSecrets(output, {});
    EXPECT_TRUE(text.starts_with("... line ")) << text;
    EXPECT_TRUE(text.ends_with("line 499\n"));
    EXPECT_LE(text.size(), 1004u);
    EXPECT_EQ(withoutSecrets(std::string(3000, 'x'), {}), "... " + std::string(1000, 'x'));
}

}  // namespace
}  // namespace certmgr::acme
