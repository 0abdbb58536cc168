// How a certificate comes to be in force, and the way that needs nobody else. The functions block, and run on
// a worker.
#pragma once

#include <functional>

#include "certmgr/core/clock.h"
#include "certmgr/engine/key_ring.h"
#include "certmgr/engine/local_ca.h"

namespace certmgr::engine {

// Stores a credential, and puts it in force where it deserves that (core/decision.h, better()) or where the
// generation `replaces` still is in force, which was decided to be of no more use. `alongside` happens in the
// same transaction. Returns whether it is in force.
bool adopt(Records& records, const Credential& credential, TimePoint now, std::int64_t replaces,
           const std::function<void()>& alongside);

// A fresh key and a certificate of the box's own CA for it.
class LocalIssuer {
  public:
    LocalIssuer(KeyRing& keys, Records& records, LocalCa& ca, const Clock& clock)
        : keys_(keys), records_(records), ca_(ca), clock_(clock) {}
    // `replaces`: of the decision.
    void issue(const CertificateSpec& spec, std::int64_t replaces);

  private:
    KeyRing& keys_;
    Records& records_;
    LocalCa& ca_;
    const Clock& clock_;
};

}  // namespace certmgr::engine
