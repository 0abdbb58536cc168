// What a CA would find of the records of dns-persist-01 (core/persist_record.h).
#pragma once

#include "certmgr/acme/solver.h"
#include "certmgr/core/persist_record.h"

namespace certmgr::acme {

// Thread-safe. Reads only: nobody here writes such a record. Implementations: DnsPersistLookup; the tests
// have another.
class PersistLookup {
  public:
    virtual ~PersistLookup() = default;

    // Of several records the one that serves best is told. Error(transient) where nobody answers; blocks for
    // some seconds.
    virtual PersistAnswer look(const Identifier& name, const Asking& ca) const = 0;
};

}  // namespace certmgr::acme
