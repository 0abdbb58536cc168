#include "certmgr/ctl/authority_commands.h"

#include <chrono>
#include <fstream>
#include <ostream>

#include "certmgr/ctl/failure.h"
#include "certmgr/ctl/output_file.h"
#include "certmgr/ctl/passphrase_source.h"
#include "certmgr/ctl/sealed_memory.h"
#include "certmgr/ctl/upload_source.h"

namespace certmgr::ctl {
namespace {

// The result goes beside what is on standard output, so that this stays the certificate alone.
void finishWithOutput(Client& client, const Terminal& terminal, const std::string& job, OutputFile& output) {
    const Json result = awaitJob(client, terminal, job);
    throwIfFailed(result);
    output.keep(terminal.out);
    if (terminal.json)
        terminal.progress << dumped(result) << '\n';
    else
        terminal.progress << "serial " << result.value("Result", "") << '\n';
}

hal::UniqueFd passphraseFor(const HolderOptions& holder, std::optional<int> fd) {
    if (holder.format == "pem") return newMemory("certmgrctl-no-passphrase");
    return fd ? passphraseFrom(*fd) : askNewPassphrase();
}

}  // namespace

void signRequest(Client& client, const Terminal& terminal, const HolderOptions& holder,
                 const std::string& request, const std::string& output) {
    const hal::UniqueFd csr = openUpload(request);
    OutputFile file(output);
    finishWithOutput(client, terminal, client.signRequest(csr.get(), file.fd(), holder), file);
}

void issueBundle(Client& client, const Terminal& terminal, const HolderOptions& holder,
                 std::optional<int> passphraseFd, const std::string& output) {
    OutputFile file(output);
    const hal::UniqueFd passphrase = passphraseFor(holder, passphraseFd);
    finishWithOutput(client, terminal, client.issue(passphrase.get(), file.fd(), holder), file);
}

void listIssued(Client& client, const Terminal& terminal) {
    const Json issued = client.issued();
    if (terminal.json)
        terminal.out << dumped(issued) << '\n';
    else
        terminal.out << issuedTable(issued);
}

void revokeIssued(Client& client, const Terminal& terminal, const std::string& serial,
                  const std::string& reason) {
    finish(client, terminal, client.revoke(serial, reason), {});
}

void generateAuthority(Client& client, const Terminal& terminal, const std::string& subject,
                       std::uint32_t days) {
    finish(client, terminal, client.generateAuthority(subject, days), {});
}

void importAuthority(Client& client, const Terminal& terminal, const std::string& file) {
    finish(client, terminal, client.importAuthority(openUpload(file).get()), {});
}

void requestAuthority(Client& client, const Terminal& terminal, const std::string& output) {
    OutputFile file(output);
    const Json result = awaitJob(client, terminal, client.requestAuthority(file.fd()));
    throwIfFailed(result);
    file.keep(terminal.out);
}

void installAuthority(Client& client, const Terminal& terminal, const std::string& file) {
    finish(client, terminal, client.installAuthority(openUpload(file).get()), {});
}

void reissueAuthority(Client& client, const Terminal& terminal) {
    finish(client, terminal, client.reissueAuthority(), {});
}

void downloadPublished(Client& client, const Terminal& terminal, Published what, const std::string& output) {
    const std::string pem = what == Published::trustBundle ? client.trustBundle() : client.revocationLists();
    if (output.empty()) {
        terminal.out << (terminal.json ? dumped({{"Pem", pem}}) + '\n' : pem);
        return;
    }
    std::ofstream stream(output, std::ios::binary | std::ios::trunc);
    if (!(stream << pem).flush()) throw Failure(ExitStatus::failed, output + " cannot be written");
}

void listSystemTrust(Client& client, const Terminal& terminal) {
    const Json anchors = client.systemTrust();
    terminal.out << (terminal.json ? dumped(anchors) + '\n' : trustTable(anchors));
}

void trustOwnRoots(Client& client, const Terminal& terminal, bool trusted) {
    finish(client, terminal, client.trustOwnRoots(trusted), {});
}

}  // namespace certmgr::ctl
