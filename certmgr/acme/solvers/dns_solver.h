// dns-01 (RFC 8555 8.4) and dns-account-01 (draft-ietf-acme-dns-account-label) by dynamic updates of the
// zone's primary server.
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
    // `kind`: one of the two. `resolver`: for aliases and addresses outside the zones. `records`: a directory
    // of its own, made where it is missing.
    DnsSolver(ChallengeKind kind, std::vector<DnsSettings> settings, net::DnsClient resolver,
              std::filesystem::path records);

    ChallengeKind kind() const override { return kind_; }
    std::string whyNot(const Identifier& identifier, const std::string& account) const override;
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
    std::string nameToProve(const Identifier& identifier, const std::string& account) const;
    std::optional<Place> placeFor(const std::string& owner) const;
    Place placeOf(const net::DnsRecord& record) const;
    void withdraw(const net::DnsRecord& record) const;
    struct Authoritative {
        std::string name;  // for people
        std::optional<net::DnsServer> server;
    };
    std::vector<Authoritative> serversOf(const Place& place) const;

    const ChallengeKind kind_;
    const std::vector<DnsSettings> settings_;
    const net::DnsClient resolver_;
    const PresentedRecords records_;
    const std::chrono::seconds patience_;
};

}  // namespace certmgr::acme
