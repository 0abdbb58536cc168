// dns-01 (RFC 8555 8.4) and dns-account-01 (draft-ietf-acme-dns-account-label) by TXT records in zones that
// are the administrator's.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "certmgr/acme/solver.h"
#include "certmgr/acme/solvers/busy_names.h"
#include "certmgr/acme/solvers/dns_zones.h"
#include "certmgr/acme/solvers/presented_records.h"
#include "certmgr/acme/solvers/zone_servers.h"

namespace certmgr::acme {

class DnsSolver : public Solver {
  public:
    // `kind`: one of the two. `resolver`: for what no server of the settings knows. `records`: a directory of
    // its own, made where it is missing.
    DnsSolver(ChallengeKind kind, std::shared_ptr<DnsZones> zones, net::DnsServer resolver,
              std::filesystem::path records);

    ChallengeKind kind() const override { return kind_; }
    std::string whyNot(const Identifier& identifier, const Asking& ca) const override;
    void present(const Proof& proof) override;
    void remove(const Proof& proof) noexcept override;
    int clearAway() override;
    void stop() override { zones_->stop(); }
    // Not certain while a server does not answer at all: a CA asks another one.
    std::optional<Missing> missing(const Proof& proof) const override;
    std::chrono::seconds patience() const override { return zones_->patience(); }

  private:
    struct Place {
        DnsZones::Zone zone;
        std::string owner;
    };
    std::string nameToProve(const Identifier& identifier, const std::string& account) const;
    std::optional<Place> placeFor(const std::string& owner) const;
    std::string whyNotAt(const std::optional<Place>& place, const std::string& name) const;
    Place placeOf(const net::DnsRecord& record) const;
    // `silent`: RecordWriter::means() that are not tried again in this round. False: the record is left to
    // the next one.
    bool withdraw(const PresentedRecords::Left& left, std::set<std::string>& silent);
    std::vector<ZoneServers::Server> serversOf(const Place& place) const;
    enum class Seen { there, notThere, noAnswer };
    static Seen lookAt(const ZoneServers::Server& server, const net::DnsRecord& record);
    bool isGone(const PresentedRecords::Left& left) const;
    bool mustStay(const RecordWriter& writer, const std::string& owner) const;

    const ChallengeKind kind_;
    const std::shared_ptr<DnsZones> zones_;
    const ZoneServers servers_;
    const PresentedRecords records_;
    BusyNames busy_;  // while a record is taken away, nobody presents it again or takes it away too
};

}  // namespace certmgr::acme
