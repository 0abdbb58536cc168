// The zones of [[dns]], each with who writes its records.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/dns_settings.h"
#include "certmgr/acme/solvers/record_writer.h"
#include "hal/command.h"

namespace certmgr::acme {

// Shared by the solvers that put records there. Threads: any.
class DnsZones {
  public:
    // `run`: hook programs; not called where there are none.
    DnsZones(const std::vector<DnsSettings>& settings, hal::CommandRunner run);

    struct Table {
        DnsSettings settings;
        std::unique_ptr<RecordWriter> writer;
    };
    struct Zone {
        const Table* table;
        std::string name;
    };
    // The longest of them that has the name.
    std::optional<Zone> find(const std::string& name) const;
    std::vector<DnsSettings> settings() const;
    // The longest that any table waits for its servers.
    std::chrono::seconds patience() const;
    // Ends the programs that run, and lets none begin.
    void stop() { stop_.request_stop(); }

  private:
    std::stop_source stop_;
    std::vector<Table> tables_;
};

// Whether the zone, or a name as such, has the name in it.
bool liesIn(const std::string& name, const std::string& zone);

}  // namespace certmgr::acme
