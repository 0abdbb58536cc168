#include "certmgr/acme/solvers/hook_program.h"

#include "certmgr/acme/solvers/hook_output.h"
#include "certmgr/core/error.h"
#include "certmgr/core/secret_file.h"

namespace certmgr::acme {
namespace {

using hal::CommandResult;

constexpr std::string_view challengeLabel = "_acme-challenge.";

std::vector<Secret> secretsOf(const std::vector<std::string>& variables, const ProofRecord& record) {
    std::vector<Secret> secrets{{"TOKEN", record.token}};
    for (const std::string& variable : variables) {
        const std::size_t equals = variable.find('=');
        secrets.push_back({variable.substr(0, equals), variable.substr(equals + 1)});
    }
    return secrets;
}

}  // namespace

HookProgram::HookProgram(DnsHookSettings settings, hal::CommandRunner run, std::stop_token stop)
    : settings_(std::move(settings)), run_(std::move(run)), stop_(std::move(stop)) {}

std::string HookProgram::whyNot(const std::string& owner) const {
    if (settings_.form != HookForm::dehydrated || owner.starts_with(challengeLabel)) return "";
    return "cannot have " + settings_.program.string() + " make a record at " + owner +
           ": a hook of dehydrated makes those of _acme-challenge.DOMAIN alone";
}

// lego's documentation, "External program": `myprogram present <FQDN> <record>`, `myprogram cleanup …`.
// dehydrated's docs/examples/hook.sh: deploy_challenge and clean_challenge, DOMAIN TOKEN_FILENAME
// TOKEN_VALUE.
std::vector<std::string> HookProgram::command(bool add, const ProofRecord& record) const {
    const std::string program = settings_.program;
    const auto& [zone, owner, text] = record.record;
    switch (settings_.form) {
        case HookForm::legoExec:
            return {program, add ? "present" : "cleanup", owner + ".", text};
        case HookForm::dehydrated:
            return {program, add ? "deploy_challenge" : "clean_challenge",
                    owner.substr(challengeLabel.size()), record.token, text};
        case HookForm::acmeSh:
            break;
    }
    return {settings_.adapter, add ? "add" : "rm", program, owner, text};
}

void HookProgram::call(bool add, const ProofRecord& record) {
    if (const std::string why = whyNot(record.record.owner); !why.empty())
        throw Error(ErrorKind::misconfigured, "dns-zone-gone", "[[dns]] " + why);
    const std::lock_guard lock(mutex_);
    std::vector<std::string> variables;
    if (!settings_.environmentFile.empty()) variables = readSecretVariables(settings_.environmentFile);
    const std::vector<std::string> argv = command(add, record);
    CommandResult result =
        run_(argv, std::chrono::steady_clock::now() + settings_.limit, variables, {}, stop_);
    if (result.succeeded()) return;
    result.output = withoutSecrets(result.output, secretsOf(variables, record));
    const std::string program = settings_.program;
    switch (result.end) {
        case CommandResult::End::notStarted:
            throw Error(ErrorKind::misconfigured, "dns-hook-not-started",
                        hal::describe({argv.front()}, result));
        case CommandResult::End::timedOut:
            throw Error(ErrorKind::transient, "dns-hook-timeout",
                        program + " did not end within " + std::to_string(settings_.limit.count()) +
                            " s, which is timeout_seconds in [[dns]], and was killed" +
                            (result.output.empty() ? "" : ": " + result.output));
        case CommandResult::End::stopped:
            throw Error(ErrorKind::transient, "cancelled", hal::describe({program}, result));
        case CommandResult::End::exited:
        case CommandResult::End::signalled:
            break;
    }
    throw Error(ErrorKind::transient, "dns-hook-failed", hal::describe({program}, result));
}

}  // namespace certmgr::acme
