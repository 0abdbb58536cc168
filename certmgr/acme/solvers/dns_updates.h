// TXT records by dynamic updates (RFC 2136) of the zone's primary server.
#pragma once

#include "certmgr/acme/dns_settings.h"
#include "certmgr/acme/solvers/record_writer.h"

namespace certmgr::acme {

// The secret is read anew for each update.
class DnsUpdates : public RecordWriter {
  public:
    explicit DnsUpdates(DnsUpdateSettings settings) : settings_(std::move(settings)) {}

    std::string whyNot(const std::string&) const override { return ""; }
    std::string means() const override { return net::toString(settings_.server); }
    void add(const ProofRecord& record) override;
    void remove(const ProofRecord& record) override;

  private:
    net::TsigKey key() const;

    const DnsUpdateSettings settings_;
};

}  // namespace certmgr::acme
