// dns-01 (RFC 8555 8.4) by dynamic updates of the zone's primary server.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/acme/dns_settings.h"
#include "certmgr/acme/solver.h"
#include "certmgr/acme/solvers/presented_records.h"

namespace certmgr::acme {

class DnsSolver : public Solver {
  public:
    // `resolver`: for aliases and addresses outside the zones. `records`: a directory of its own, made where
    // it is missing.
    DnsSolver(std::vector<DnsSettings> settings, net::DnsClient resolver, std::filesystem::path records);

    ChallengeKind kind() const override { return ChallengeKind::dns01; }
    std::string whyNot(const Identifier& identifier) const override;
    void present(const Proof& proof) override;
    void remove(const Proof& proof) noexcept override;
    int clearAway() override;
    // Not certain while a server does not answer at all: a CA asks another one.
    std::optional<Missing> missing(const Proof& proof) const override;
    std::chrono::seconds patience() const override { return patience_; }

  private:
    struct Place {
        const DnsSettings* settings;
        std::string zone;
        std::string owner;
    };
    std::optional<Place> zoneOf(const std::string& name) const;
    std::optional<Place> placeFor(const Identifier& identifier) const;
    Place placeOf(const net::DnsRecord& record) const;
    void withdraw(const net::DnsRecord& record) const;
    struct Authoritative {
        std::string name;  // for people
        std::optional<net::DnsServer> server;
    };
    std::vector<Authoritative> serversOf(const Place& place) const;

    const std::vector<DnsSettings> settings_;
    const net::DnsClient resolver_;
    const PresentedRecords records_;
    const std::chrono::seconds patience_;
};

}  // namespace certmgr::acme
