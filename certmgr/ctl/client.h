// org.certmgr1 as a program sees it: objects as JSON, with the property names of the bus.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <systemd/sd-bus.h>

#include "certmgr/ctl/values.h"
#include "hal/handle.h"

namespace certmgr::ctl {

enum class Kind { certificate, service, authority, upload, job, alarm };
const char* toString(Kind kind) noexcept;
std::optional<Kind> kindFrom(const std::string& interface);  // "org.certmgr1.Job"

// id (a service's name) -> properties, without the PEM.
using ObjectMap = std::map<std::string, Json>;

struct RequestOptions {
    std::string keyAlgorithm, keyPolicy;  // empty: certmgrd's default
    bool acme = true;
    std::string acmeProfile;
    bool acmeProfileRequired = false;
};

// Whom a certificate of the box's own CA is for. Empty or 0: certmgrd's default.
struct HolderOptions {
    std::string purpose, commonName;
    std::vector<std::string> names;  // "email:anna@example.org"
    std::uint32_t days = 0;
    std::string keyAlgorithm, format;  // where the key is made there
};

// The descriptors are lent for the call.
struct UploadOptions {
    std::vector<int> contents;
    int passphrase = -1;  // -1: none
    bool dryRun = false;
};

// Of a record of dns-persist-01. Empty or 0: of every CA that has an account, and without an end.
struct PersistRecordOptions {
    std::string name, ca;
    bool wildcard = false;
    std::uint32_t until = 0;
};

struct CaRevocationOptions {
    std::string reason, serial;  // serial empty: of what is in force
    bool dryRun = false;
    bool atOnce = false;  // no service is waited for
};

// One connection to the system bus. Every method blocks and throws Failure.
class Client {
  public:
    Client();  // DBUS_SYSTEM_BUS_ADDRESS, else the system's own

    ObjectMap objects(Kind kind);
    std::map<Kind, ObjectMap> allObjects();
    std::string pem(Kind kind, const std::string& id);
    std::string rootCertificate();

    // Each starts a job and returns its path.
    std::string request(const std::vector<std::string>& names, const RequestOptions& options);
    std::string upload(const UploadOptions& options);
    std::string reissue(const std::string& certificate);
    std::string remove(Kind kind, const std::string& id);
    std::string checkService(const std::string& service);

    // org.certmgr1.AuthorityManager: each starts a job and returns its path, but for what is read.
    std::string signRequest(int request, int output, const HolderOptions& holder);
    std::string issue(int passphrase, int output, const HolderOptions& holder);
    std::string revoke(const std::string& serial, const std::string& reason);
    Json issued();
    std::string generateAuthority(const std::string& subject, std::uint32_t days);
    std::string importAuthority(int content);
    std::string requestAuthority(int output);
    std::string installAuthority(int chain);
    std::string reissueAuthority();
    std::string trustBundle();
    std::string revocationLists();
    Json systemTrust();
    std::string trustOwnRoots(bool trusted);

    // org.certmgr1.BackupManager: the same.
    std::string backup(int passphrase, int output);
    std::string restore(int content, int passphrase, bool dryRun);

    // org.certmgr1.Acme.
    Json acmeAccounts();
    Json acmeBudgets();
    std::string changeAccountKey(const std::string& ca);
    std::string deactivateAccount(const std::string& ca);
    Json preflight(const std::vector<std::string>& names);
    Json persistRecords(const PersistRecordOptions& options);
    std::string revokeAtCa(const std::string& certificate, const CaRevocationOptions& options);

    // The job's properties at its end; `progress` hears of each change before.
    Json await(const std::string& job, const std::function<void(const Json&)>& progress);

    // From here on signals are kept for await() and watch().
    void subscribe();

    // Calls back for every object that comes, changes (with the properties that changed) or goes (null) after
    // subscribe(), until the daemon or the bus goes away: then Failure(unreachable).
    using Watcher = std::function<void(Kind kind, const std::string& id, const Json& properties)>;
    [[noreturn]] void watch(const Watcher& watcher);

  private:
    using Message = hal::Handle<sd_bus_message, sd_bus_message_unref>;
    using Slot = hal::Handle<sd_bus_slot, sd_bus_slot_unref>;

    Message newCall(const std::string& path, const char* interface, const char* member);
    std::string callWithCa(const char* member, const std::string& ca);
    static void appendTexts(const Message& message, const std::vector<std::string>& texts);  // as
    Message newAuthorityCall(const char* member);
    std::string callWithDescriptor(const char* member, int fd);
    Message call(const Message& message);
    std::string startJob(const Message& message);
    std::string callWithPath(const char* member, Kind kind, const std::string& id);
    static std::string objectPath(Kind kind, const std::string& id);
    Json getAll(const std::string& path, const char* interface);
    void processOne();
    static int signalled(sd_bus_message* signal, void* client, sd_bus_error* error);
    void take(sd_bus_message* signal);

    struct Signal {
        std::string path;
        std::string interface;
        Json properties;  // null: gone
    };

    hal::Handle<sd_bus, sd_bus_flush_close_unref> bus_;
    std::vector<Slot> slots_;
    std::vector<Signal> signals_;
    bool daemonGone_ = false;
};

}  // namespace certmgr::ctl
