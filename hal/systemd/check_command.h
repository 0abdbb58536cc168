#pragma once

#include <chrono>

#include "hal/service_control.h"

namespace hal {

// The part of reload() that is the same with and without systemd. Throws "check-failed" and "reload-timeout".
void runCheckCommand(const ServiceHandle& service, std::chrono::steady_clock::time_point deadline);

}  // namespace hal
