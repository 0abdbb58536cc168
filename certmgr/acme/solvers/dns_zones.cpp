#include "certmgr/acme/solvers/dns_zones.h"

#include <algorithm>

#include "certmgr/acme/solvers/dns_updates.h"
#include "certmgr/acme/solvers/hook_program.h"

namespace certmgr::acme {
namespace {

std::unique_ptr<RecordWriter> writerFor(const DnsSettings& settings, const hal::CommandRunner& run,
                                        const std::stop_source& stop) {
    if (const auto* const hook = std::get_if<DnsHookSettings>(&settings.means))
        return std::make_unique<HookProgram>(*hook, run, stop.get_token());
    return std::make_unique<DnsUpdates>(std::get<DnsUpdateSettings>(settings.means));
}

}  // namespace

bool liesIn(const std::string& name, const std::string& zone) {
    return name == zone || name.ends_with("." + zone);
}

DnsZones::DnsZones(const std::vector<DnsSettings>& settings, hal::CommandRunner run) {
    for (const DnsSettings& each : settings) tables_.push_back({each, writerFor(each, run, stop_)});
}

std::optional<DnsZones::Zone> DnsZones::find(const std::string& name) const {
    std::optional<Zone> best;
    for (const Table& table : tables_)
        for (const std::string& zone : table.settings.zones)
            if (liesIn(name, zone) && (!best || zone.size() > best->name.size())) best = Zone{&table, zone};
    return best;
}

std::vector<DnsSettings> DnsZones::settings() const {
    std::vector<DnsSettings> all;
    for (const Table& table : tables_) all.push_back(table.settings);
    return all;
}

std::chrono::seconds DnsZones::patience() const {
    std::chrono::seconds longest{0};
    for (const Table& table : tables_) longest = std::max(longest, table.settings.patience);
    return longest;
}

}  // namespace certmgr::acme
