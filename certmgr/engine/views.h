// What people and programs get to see: plain values, kept on the main thread, changed one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/certificate.h"
#include "certmgr/engine/shared_text.h"

namespace certmgr::engine {

// Times are seconds since the epoch, 0: none. Texts are empty where there is nothing to say.
struct CertificateView {
    std::string id;
    std::vector<std::string> names;
    std::vector<std::string> services;  // the modules that it serves
    SharedText state;                   // "none", "local", "acme", "uploaded": what is in force
    SharedText activity;                // being done right now: "waiting for authorization of gw.example"
    std::string subject, serial, sha256;
    SharedText issuer;
    std::uint64_t notBefore = 0, notAfter = 0;
    std::int64_t generation = 0;
    SharedText keyPolicy;      // as asked: "prefer-tpm"
    SharedText keyBackend;     // as it is: "tpm", "sealed", "file"
    SharedText keyReason;      // why it is there, a sentence
    SharedText keyReasonCode;  // the same for programs: "no-tpm"; empty: it was never decided
    SharedText keyAlgorithm;
    SharedText reason;       // why this certificate and no other, from the decision
    SharedText lastError;    // of the last attempt to get a better one, in plain words
    SharedText lastProblem;  // the CA's problem document, whole
    std::uint64_t lastAttempt = 0, nextAttempt = 0, renewAt = 0;
    SharedText renewalExplanation;  // a page of the CA, on why it is to be renewed then
    SharedText acmeProfile;         // of the CA, under which it was ordered
    SharedText acmeProfileReason;   // why not under the one that is wanted
    SharedText chainReason;         // why this chain of those that the CA gave
    SharedText persistName;  // proved by a record of dns-persist-01 that is gone or ends; empty: none is
    std::uint64_t persistUntil = 0;
    SharedText persistComplaint;  // why it is of no use any more; empty: it is
    SharedText revocation;  // of the newest one at a CA: "due: …", "done: …", "refused: …"; empty: none
    SharedText pause;       // what CAs have said to leave alone of its order, and where that is ended
    std::uint64_t failures = 0;                       // attempts in a row; 0 where none is made any more
    std::uint64_t lostOrders = 0, lastLostOrder = 0;  // how many, and when the newest was begun
    std::uint64_t abandonedOrders = 0, lastAbandonedOrder = 0;  // the same
    SharedText proof;  // "proved", "pending", "waiting", "rolled-back", "failed", "not deployed": the worst
                       // of its services
    bool operator==(const CertificateView&) const = default;
};

struct DeploymentView {
    std::string certificate;
    std::int64_t wanted = 0, lastGood = 0;
    std::string state, reason;
    std::uint64_t provedAt = 0, nextAttempt = 0;
    std::uint64_t failures = 0;  // attempts in a row
    bool operator==(const DeploymentView&) const = default;
};

struct ServiceView {
    std::string name, description, unit, probe;  // probe: "https 127.0.0.1:443, …"
    std::vector<DeploymentView> deployments;
    bool operator==(const ServiceView&) const = default;
};

struct AuthorityView {
    std::string id, role, subject, issuer, serial, sha256, keyBackend, keyReason;
    std::uint64_t notBefore = 0, notAfter = 0;
    std::string certificatePem;
    std::string state;                    // "in-force", "trusted" (another one signs now), "expired"
    std::vector<std::string> dependents;  // of one that is not in force: what is still used under it
    std::string keyReasonCode;
    std::uint64_t crlNextUpdate = 0;  // when its revocation list ends
    bool operator==(const AuthorityView&) const = default;
};

struct AlarmView {
    std::string id;                       // see idOf()
    std::string kind, severity, subject;  // "failing", "warning", "gw.example"
    std::string sentence;
    std::uint64_t since = 0;
    bool operator==(const AlarmView&) const = default;
};

// A chain that was uploaded with its key, in use or not.
struct UploadView {
    std::string id;                         // a running number
    std::vector<std::string> names;         // of the leaf
    std::vector<std::string> certificates;  // the ids of those that it covers
    std::vector<std::string> serves;        // of these, where it is in force or may be gone back to
    std::string subject, issuer, serial, sha256, keyBackend, keyReason;
    std::uint64_t notBefore = 0, notAfter = 0, uploaded = 0;
    bool operator==(const UploadView&) const = default;
};

struct JobView {
    std::string id;                           // a running number
    std::string kind;                         // "request", "upload", "reissue", "delete", "check"
    std::string certificate;                  // id, or empty
    std::string state;                        // "queued", "running", "done", "failed"
    std::string step;                         // a sentence
    std::string result;                       // with "done": a sentence or a list of lines
    std::string errorKind, errorCode, error;  // with "failed"
    bool operator==(const JobView&) const = default;
};

// All of it. Lives on the main thread, like its listeners.
class Views {
  public:
    enum class Change { added, changed, removed };
    enum class Kind { certificate, service, authority, upload, job, alarm };
    struct Event {
        Kind kind;
        const std::string& id;  // the service's name for a service
        Change change;
        // With `changed`: the view of that kind as it was and as it is; else nullptr.
        const void* before = nullptr;
        const void* after = nullptr;
    };
    // Hears of a change after it was made: what was removed cannot be looked up any more. Must not change the
    // views.
    using Listener = std::function<void(const Event&)>;

    void listen(Listener listener) { listener_ = std::move(listener); }

    const std::map<std::string, CertificateView>& certificates() const { return certificates_; }
    const std::map<std::string, ServiceView>& services() const { return services_; }
    const std::map<std::string, AuthorityView>& authorities() const { return authorities_; }
    const std::map<std::string, UploadView>& uploads() const { return uploads_; }
    const std::map<std::string, JobView>& jobs() const { return jobs_; }
    const std::map<std::string, AlarmView>& alarms() const { return alarms_; }

    // Equal values tell nobody anything.
    void put(CertificateView view);
    void put(ServiceView view);
    void put(AuthorityView view);
    void put(UploadView view);
    void put(JobView view);
    void put(AlarmView view);
    void remove(Kind kind, const std::string& id);

  private:
    template <class View>
    void store(std::map<std::string, View>& views, Kind kind, const std::string& id, View view);

    Listener listener_;
    std::map<std::string, CertificateView> certificates_;
    std::map<std::string, ServiceView> services_;
    std::map<std::string, AuthorityView> authorities_;
    std::map<std::string, UploadView> uploads_;
    std::map<std::string, JobView> jobs_;
    std::map<std::string, AlarmView> alarms_;
};

}  // namespace certmgr::engine
