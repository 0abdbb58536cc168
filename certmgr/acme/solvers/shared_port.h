// A port that CAs ask on, open in the packet filter of the box while at least one authorization needs it.
#pragma once

#include <cstdint>
#include <mutex>

#include "hal/handle.h"
#include "hal/port_opener.h"

namespace certmgr::acme {

// Thread-safe. `opener` must outlive it, and it all its leases.
class SharedPort {
  public:
    SharedPort(hal::PortOpener& opener, std::uint16_t port) : opener_(opener), port_(port) {}

    static void end(SharedPort* port) noexcept;
    // It is open while one of these is there. What could not be closed then is so after the opener's limit.
    using Lease = hal::Handle<SharedPort, &SharedPort::end>;
    // Throws what PortOpener::open does. Each lease has the whole limit.
    Lease open();
    // Where nobody has a lease: what a run that crashed left open. Returns whether that could be done.
    bool closeUnused() noexcept;

  private:
    bool closed() noexcept;

    hal::PortOpener& opener_;
    const std::uint16_t port_;
    std::mutex mutex_;
    int leases_ = 0;
};

}  // namespace certmgr::acme
