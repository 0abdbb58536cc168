#include "certmgr/acme/solvers/shared_port.h"

#include "certmgr/core/error.h"

namespace certmgr::acme {

SharedPort::Lease SharedPort::open() {
    const std::lock_guard lock(mutex_);
    try {
        opener_.open(port_);
    } catch (const Error&) {
        if (leases_ == 0) closed();  // it may open yet, as where its time was up
        throw;
    }
    ++leases_;
    return Lease(this);
}

void SharedPort::end(SharedPort* port) noexcept {
    const std::lock_guard lock(port->mutex_);
    if (--port->leases_ == 0) port->closed();
}

bool SharedPort::closeUnused() noexcept {
    const std::lock_guard lock(mutex_);
    return leases_ > 0 || closed();
}

bool SharedPort::closed() noexcept {
    try {
        opener_.close(port_);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace certmgr::acme
