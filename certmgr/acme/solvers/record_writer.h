// Puts TXT records that prove control of a name into DNS, and takes them out again.
#pragma once

#include <string>

#include "certmgr/net/dns_client.h"

namespace certmgr::acme {

struct ProofRecord {
    net::DnsRecord record;
    std::string token = {};  // of the challenge; empty: written down by a release that did not need it
};

// Implementations: DnsUpdates and HookProgram. Threads: any. Adding what is there, and other records of the
// name, do no harm. Throws transient errors where the same call may succeed later, else misconfigured ones.
class RecordWriter {
  public:
    virtual ~RecordWriter() = default;
    // Why it can have no record at this name, as a clause: "cannot …". Empty: it can.
    virtual std::string whyNot(const std::string& owner) const = 0;
    // The server or program: where it does not answer for one record, it does not for another.
    virtual std::string means() const = 0;
    virtual void add(const ProofRecord& record) = 0;
    virtual void remove(const ProofRecord& record) = 0;
    // Whether that may take away all records of the name.
    virtual bool mayRemoveOthers() const { return false; }
};

}  // namespace certmgr::acme
