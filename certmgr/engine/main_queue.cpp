#include "certmgr/engine/main_queue.h"

#include <cerrno>

#include <sys/eventfd.h>

#include "certmgr/core/error.h"

namespace certmgr::engine {

MainQueue::MainQueue() : wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wakeup_) hal::throwErrno(errno, "eventfd");
}

void MainQueue::post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    ::eventfd_write(wakeup_.get(), 1);
}

void MainQueue::drain() {
    for (;;) {
        std::function<void()> next;
        {
            const std::lock_guard lock(mutex_);
            if (work_.empty()) {
                eventfd_t ignored = 0;
                ::eventfd_read(wakeup_.get(), &ignored);
                return;
            }
            next = std::move(work_.front());
            work_.pop_front();
        }
        next();
    }
}

}  // namespace certmgr::engine
