// The records of dns-persist-01 as name servers have them.
#pragma once

#include "certmgr/acme/persist_lookup.h"
#include "certmgr/acme/solvers/zone_servers.h"
#include "certmgr/core/clock.h"

namespace certmgr::acme {

class DnsPersistLookup : public PersistLookup {
  public:
    // `clock` tells which records have ended, and must outlive it.
    DnsPersistLookup(ZoneServers servers, const Clock& clock) : servers_(std::move(servers)), clock_(clock) {}

    // At the name servers of the zone; at the resolver where none of them can be reached. A record that one
    // of them has is enough.
    PersistAnswer look(const Identifier& name, const Asking& ca) const override;

    // Those of the servers that answer without such a record, for people: "ns2.gw.example (192.0.2.54)";
    // empty: none.
    std::string withoutRecord(const Identifier& name, const Asking& ca) const;

  private:
    PersistQuestion questionOf(const Identifier& name, const Asking& ca) const;

    const ZoneServers servers_;
    const Clock& clock_;
};

}  // namespace certmgr::acme
