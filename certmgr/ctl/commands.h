// The subcommands. Each ends normally or with a Failure.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "certmgr/ctl/client.h"
#include "certmgr/ctl/output.h"
#include "certmgr/ctl/status.h"

namespace certmgr::ctl {

struct Terminal {
    std::ostream& out;
    std::ostream& progress;  // what happens meanwhile: not part of the result
    bool json = false;
    std::size_t width = 100;
};

Now now();
// A text of the bus is UTF-8 always; what a caller typed need not be.
std::string dumped(const Json& json, int indent = 2);
// The job's properties at its end; its steps are shown meanwhile.
Json awaitJob(Client& client, const Terminal& terminal, const std::string& job);
void throwIfFailed(const Json& job);

void listCertificates(Client& client, const Terminal& terminal);
void listUploads(Client& client, const Terminal& terminal);
void showCertificate(Client& client, const Terminal& terminal, const std::string& certificate);

struct Wait {
    bool untilDone = true;
};
// Shows how the job ends, or that it was started.
void finish(Client& client, const Terminal& terminal, const std::string& job, Wait wait);
void requestCertificate(Client& client, const Terminal& terminal, const std::vector<std::string>& names,
                        const RequestOptions& options, Wait wait);
struct UploadSource {
    std::vector<std::string> files;
    bool askPassphrase = false;
    int passphraseFd = -1;  // -1: none
    bool dryRun = false;
};
void uploadCertificate(Client& client, const Terminal& terminal, const UploadSource& source);
void reissueCertificate(Client& client, const Terminal& terminal, const std::string& certificate, Wait wait);
void deleteCertificate(Client& client, const Terminal& terminal, const std::string& certificate);
// What a deletion would take along; fails where it would be refused.
void previewDeletion(Client& client, const Terminal& terminal, const std::string& certificate);
void deleteUpload(Client& client, const Terminal& terminal, const std::string& upload);

void showAuthorities(Client& client, const Terminal& terminal);
// `file` empty: to terminal.out.
void downloadAuthority(Client& client, const Terminal& terminal, bool der, const std::string& file);

// A monitor reads it: what it says is a line, and the status to end with.
Health showStatus(Client& client, const Terminal& terminal);
Health showUnknownStatus(const Terminal& terminal, const std::string& sentence);

void listServices(Client& client, const Terminal& terminal);
// `service` empty: all of them; fails when one fails, after all were checked.
void checkServices(Client& client, const Terminal& terminal, const std::string& service);

[[noreturn]] void watchChanges(Client& client, const Terminal& terminal);

}  // namespace certmgr::ctl
