// An engine that does nothing but show: for tests of the bus and of certmgrctl.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "certmgr/core/error.h"
#include "certmgr/engine/commands.h"

namespace testing_support {

// Jobs run when the test calls one of `later`, as workers would. Names and contents choose what happens:
// a name with a blank is refused, "used.example" is in use, what begins with "broken" fails, content must
// begin with "-----BEGIN".
class FakeCommands : public certmgr::engine::Commands,
                     public certmgr::engine::AuthorityCommands,
                     public certmgr::engine::BackupCommands,
                     public certmgr::engine::AcmeCommands {
  public:
    certmgr::engine::Views shown;
    std::deque<std::function<void()>> later;
    std::vector<certmgr::engine::RequestCommand> requests;
    std::string uploaded;    // all contents of the last upload
    std::string passphrase;  // that came with it

    const certmgr::engine::Views& views() const override { return shown; }

    std::string request(const certmgr::engine::RequestCommand& command) override {
        for (const std::string& name : command.names)
            if (name.find(' ') != std::string::npos)
                throw certmgr::Error(certmgr::ErrorKind::rejected, "bad-name",
                                     "\"" + name + "\" has a blank");
        requests.push_back(command);
        return start("request", command.names.at(0), [] { return "issued"; });
    }

    std::string upload(certmgr::engine::UploadCommand command) override {
        auto held = std::make_shared<certmgr::engine::UploadCommand>(std::move(command));
        return start("upload", "", [this, held, dryRun = held->dryRun] {
            uploaded.clear();
            for (const hal::UniqueFd& content : held->contents) uploaded += contentOf(content);
            passphrase = held->passphrase ? contentOf(held->passphrase) : "";
            if (!uploaded.starts_with("-----BEGIN"))
                throw certmgr::Error(certmgr::ErrorKind::rejected, "bad-pem",
                                     "found no PEM block, expected a chain");
            return dryRun ? "would be accepted" : "accepted";
        });
    }

    std::string reissue(const certmgr::CertificateId& id) override {
        return start("reissue", id, [] { return "reissued"; });
    }

    std::string remove(const certmgr::CertificateId& id) override {
        if (id == "used.example")
            throw certmgr::Error(certmgr::ErrorKind::rejected, "in-use",
                                 id + " is used by the service web-ui");
        return start("delete", id, [this, id] {
            shown.remove(certmgr::engine::Views::Kind::certificate, id);
            return "deleted";
        });
    }

    std::string removeUpload(const std::string& id) override {
        return start("delete", "", [this, id] {
            shown.remove(certmgr::engine::Views::Kind::upload, id);
            return "deleted";
        });
    }

    std::string check(const std::string& service) override {
        return start("check", service, [] { return "the leaf is served"; });
    }

    std::string chainPem(const certmgr::CertificateId& id) override { return "PEM of " + id; }

    certmgr::engine::AuthorityCommands& authority() override { return *this; }
    certmgr::engine::BackupCommands& backups() override { return *this; }

    certmgr::engine::AcmeCommands& acme() override { return *this; }

    std::vector<certmgr::engine::AcmeAccount> acmeAccounts;
    std::vector<certmgr::engine::AcmeAccount> accounts() override { return acmeAccounts; }
    certmgr::engine::Budgets budgets;
    void budget(certmgr::engine::BudgetReply reply) override { reply(budgets); }
    std::string changeAccountKey(const std::string& ca) override {
        return start("rollover", "", [ca] { return "another key at " + ca; });
    }
    std::string deactivateAccount(const std::string& ca) override {
        return start("deactivate", "", [ca] { return "no account at " + ca; });
    }
    certmgr::engine::Preflight found;
    void preflight(const std::vector<std::string>& names, certmgr::engine::PreflightReply reply) override {
        certmgr::parseIdentifiers(names);
        reply(found);
    }
    certmgr::engine::PersistRecordCommand persistAsked;
    certmgr::engine::PersistRecords records;
    void persistRecords(const certmgr::engine::PersistRecordCommand& command,
                        certmgr::engine::PersistRecordsReply reply) override {
        certmgr::parseIdentifier(command.name);
        persistAsked = command;
        reply(records);
    }
    std::string revokeAtCa(const certmgr::CertificateId& id,
                           const certmgr::engine::CaRevocationCommand& command) override {
        return start("revoke", id, [command] {
            return (command.dryRun ? "would be revoked: " : "done: ") + command.serial + " (" +
                   command.reason + ")" + (command.atOnce ? ", for nobody waited" : "");
        });
    }

    std::string backup(certmgr::engine::BackupCommand command) override {
        return hand("backup", std::move(command.passphrase), std::move(command.output), "the backup");
    }
    std::string restore(certmgr::engine::RestoreCommand command) override {
        return hand("restore", std::move(command.content), {}, "");
    }

    // What was asked of the authority, by its descriptors, and what it hands over.
    std::string given;
    certmgr::engine::EndEntityCommand holder;
    std::vector<certmgr::IssuedCertificate> issuedThere;
    certmgr::engine::SystemTrust trusted;

    std::string signRequest(const certmgr::engine::EndEntityCommand& wanted, hal::UniqueFd request,
                            hal::UniqueFd output) override {
        holder = wanted;
        return hand("sign", std::move(request), std::move(output), "the certificate\n");
    }
    std::string issueBundle(const certmgr::engine::BundleCommand& command, hal::UniqueFd secret,
                            hal::UniqueFd output) override {
        holder = command.holder;
        return hand("issue", std::move(secret), std::move(output), "the bundle as " + command.format);
    }
    std::string revoke(const std::string& serial, const std::string& reason) override {
        return start("revoke", "", [serial, reason] { return serial + " is revoked: " + reason; });
    }
    std::vector<certmgr::IssuedCertificate> issued(std::int64_t after) override {
        std::vector<certmgr::IssuedCertificate> result;
        for (const certmgr::IssuedCertificate& one : issuedThere)
            if (one.number > after) result.push_back(one);
        return result;
    }
    std::string generateAuthority(const std::string& subject, std::uint32_t days) override {
        return start("generate", "", [=] { return subject + " for " + std::to_string(days) + " days"; });
    }
    std::string importAuthority(hal::UniqueFd content) override {
        return hand("import", std::move(content), {}, "");
    }
    std::string requestAuthority(hal::UniqueFd output) override {
        return hand("csr", {}, std::move(output), "the request\n");
    }
    std::string installAuthority(hal::UniqueFd chain) override {
        return hand("install", std::move(chain), {}, "");
    }
    std::string reissueAuthority() override {
        return start("reissue-authority", "", [] { return "issuing-2 signs now"; });
    }
    std::string trustPem() override { return "all roots\n"; }
    std::string crlPem() override { return "all lists\n"; }
    std::string trustOwnRoots(bool wanted) override {
        return start(wanted ? "trust" : "distrust", "",
                     [wanted] { return wanted ? "this box trusts its own CA" : "not any more"; });
    }

    void systemTrust(certmgr::engine::SystemTrustReply reply) override { reply(trusted); }

  private:
    std::string hand(const std::string& kind, hal::UniqueFd in, hal::UniqueFd out,
                     const std::string& content) {
        return start(kind, "", [this, from = in.release(), to = out.release(), content] {
            const hal::UniqueFd input(from);
            const hal::UniqueFd output(to);
            given = input ? contentOf(input) : "";
            if (output && ::write(to, content.data(), content.size()) < 0)
                throw certmgr::Error(certmgr::ErrorKind::internal, "bad-output", "nothing can be written");
            return std::string("0badcafe");
        });
    }
    static std::string contentOf(const hal::UniqueFd& fd) {
        std::string content;
        std::array<char, 4096> buffer{};
        for (ssize_t n = 0; (n = ::read(fd.get(), buffer.data(), buffer.size())) > 0;)
            content.append(buffer.data(), static_cast<std::size_t>(n));
        return content;
    }
    std::string start(const std::string& kind, const std::string& subject,
                      std::function<std::string()> work) {
        certmgr::engine::JobView job;
        job.id = std::to_string(++lastJob_);
        job.kind = kind;
        job.certificate = subject;
        job.state = "running";
        job.step = kind + " begins";
        shown.put(job);
        later.emplace_back([this, job, subject, work = std::move(work)]() mutable {
            try {
                if (subject.starts_with("broken"))
                    throw certmgr::Error(certmgr::ErrorKind::transient, "connection-refused",
                                         "the CA refused the connection");
                job.result = work();
                job.state = "done";
            } catch (const certmgr::Error& error) {
                job.state = "failed";
                job.errorKind = toString(error.kind());
                job.errorCode = error.code();
                job.error = error.what();
            }
            shown.put(job);
        });
        return job.id;
    }

    int lastJob_ = 0;
};

}  // namespace testing_support
