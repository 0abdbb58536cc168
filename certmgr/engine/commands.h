// What the bus may ask of the engine. Called on the main thread; nothing here blocks.
#pragma once

#include <string>
#include <vector>

#include "certmgr/core/certificate.h"
#include "certmgr/engine/acme_commands.h"
#include "certmgr/engine/authority_commands.h"
#include "certmgr/engine/backup_commands.h"
#include "certmgr/engine/views.h"
#include "hal/handle.h"

namespace certmgr::engine {

struct RequestCommand {
    std::vector<std::string> names;
    std::string keyAlgorithm;  // empty: the settings' default
    std::string keyPolicy;     // empty: the settings' default
    bool acme = true;
    AcmeProfile acmeProfile = {};  // no name: that of the CA's settings
};

struct UploadCommand {
    // PEM, DER or PKCS#12, in any order: files, pipes or sealed memfds, at most 256 KiB together, read on a
    // worker.
    std::vector<hal::UniqueFd> contents;
    hal::UniqueFd passphrase;  // its content, at most 1 KiB, a line end behind it left out; empty: none given
    bool dryRun = false;       // all checks and the report, no change
};

// Implementations: Engine and the bus tests' fake. Each command checks its input at once and throws
// Error(rejected) for what is wrong with it; what it starts runs on a worker and is followed by the job whose
// id it returns.
class Commands {
  public:
    virtual ~Commands() = default;

    virtual const Views& views() const = 0;

    virtual std::string request(const RequestCommand& command) = 0;
    virtual std::string upload(UploadCommand command) = 0;
    virtual std::string reissue(const CertificateId& id) = 0;  // also the manual retry: allowed at once
    // Refused ("in-use") while a service's profile asks for the certificate.
    virtual std::string remove(const CertificateId& id) = 0;
    // Refused ("in-use") while the upload serves, or a service may yet go back to it.
    virtual std::string removeUpload(const std::string& id) = 0;
    virtual std::string check(const std::string& service) = 0;  // proves what is served now; changes nothing

    virtual AuthorityCommands& authority() = 0;
    virtual BackupCommands& backups() = 0;
    virtual AcmeCommands& acme() = 0;

    // PEM of the chain in force, for the EXPLICIT property. Reads the database; 1 ms.
    virtual std::string chainPem(const CertificateId& id) = 0;
};

}  // namespace certmgr::engine
