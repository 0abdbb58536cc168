#include "certmgr/daemon/journal_log.h"

#include <string>
#include <vector>

#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

namespace certmgr::daemon {
namespace {

void writeToJournal(const engine::Event& event) {
    std::vector<std::string> lines{"MESSAGE=" + event.message,
                                   "PRIORITY=" + std::to_string(static_cast<int>(event.severity)),
                                   "MESSAGE_ID=" + std::string(event.messageId)};
    for (const auto& [name, value] : event.fields) lines.push_back(name + "=" + value);
    std::vector<iovec> parts;
    for (std::string& line : lines) parts.push_back({line.data(), line.size()});
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

// One write(2) a line, so that lines of several threads do not mix.
void writeToStandardError(const engine::Event& event) {
    std::string line = "certmgrd: " + event.message + " [MESSAGE_ID=" + std::string(event.messageId);
    for (const auto& [name, value] : event.fields)
        if (!value.empty()) line += " " + name + "=" + value;
    line += "]\n";
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

JournalLog::JournalLog() : journal_(::access("/run/systemd/journal/socket", W_OK) == 0) {}

void JournalLog::write(const engine::Event& event) noexcept try {
    if (journal_)
        writeToJournal(event);
    else
        writeToStandardError(event);
} catch (const std::exception&) {
    // Out of memory for a log line: the work goes on without it.
}

}  // namespace certmgr::daemon
