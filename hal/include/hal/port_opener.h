// Lets strangers reach a port of this box through its own packet filter.
#pragma once

#include <cstdint>

namespace hal {

// Implementations: hal::NoPortOpener (what the filter lets through is the administrator's),
// hal::SystemdPortOpener (root's certmgr-port@PORT.service) and hal::CommandPortOpener (a command). The tests
// have a fake.
//
// Threads: any, but one at a time for the same port. Blocks until it is done, for ten seconds at most. Throws
// Error whose message begins with what it did to which port, and says what to do; never of the kind rejected.
class PortOpener {
  public:
    virtual ~PortOpener() = default;
    // One that is open stays open without a gap, and its limit begins anew: whoever opens it lets it be
    // closed by the kernel after that, should close() never come.
    virtual void open(std::uint16_t port) = 0;
    // One that is closed stays closed.
    virtual void close(std::uint16_t port) = 0;
};

}  // namespace hal
