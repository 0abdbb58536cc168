// What happened, for the journal: each event has a message id that programs can search for.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace certmgr::engine {

// syslog(3) levels that we use.
enum class Severity { error = 3, warning = 4, notice = 5, info = 6 };

struct Event {
    Severity severity;
    std::string_view messageId;  // of event_id below; explained in certmgr.catalog
    std::string message;         // one sentence; no secrets
    std::vector<std::pair<std::string, std::string>> fields;  // "CERTMGR_CERTIFICATE" = "gw.example"
};

namespace event_id {
inline constexpr std::string_view authorityMade = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e02";
inline constexpr std::string_view keyFellBack = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e03";
inline constexpr std::string_view certificateIssued = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e04";
inline constexpr std::string_view issueFailed = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e05";
inline constexpr std::string_view orderLost = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e06";
inline constexpr std::string_view deploymentProved = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e07";
inline constexpr std::string_view deploymentNotProved = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e08";
inline constexpr std::string_view deploymentFailed = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e09";
inline constexpr std::string_view uploadTaken = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e0a";
inline constexpr std::string_view jobFailed = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e0b";
inline constexpr std::string_view uploadDeleted = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e0c";
inline constexpr std::string_view accountLost = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e10";
inline constexpr std::string_view certificateDropped = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e11";
inline constexpr std::string_view configurationRefused = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e12";
inline constexpr std::string_view profileMissing = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e16";
inline constexpr std::string_view orderWaits = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e17";
inline constexpr std::string_view contactsRefused = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e18";
inline constexpr std::string_view certificateRevoked = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e20";
inline constexpr std::string_view trustFailed = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e21";
inline constexpr std::string_view revocationFailed = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e22";
inline constexpr std::string_view alarmRaised = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e40";
inline constexpr std::string_view alarmCleared = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e41";
inline constexpr std::string_view alarmNotTold = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e42";
inline constexpr std::string_view backupMade = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e50";
inline constexpr std::string_view backupRestored = "6f1c3c2f5a4b4b0fa2f7b1d0c93a7e51";
}  // namespace event_id

// Implementations: the daemon's (journal, or stderr where there is none) and the tests' MemoryLog. Called
// from any thread.
class EventLog {
  public:
    virtual ~EventLog() = default;
    virtual void write(const Event& event) noexcept = 0;
};

}  // namespace certmgr::engine
