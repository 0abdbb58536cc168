// Lines on stderr with the priority in front, as systemd reads them (sd-daemon(3)).
#pragma once

#include <string_view>

namespace hal::keyd {

enum class Priority { error = 3, warning = 4, notice = 5, info = 6 };

void log(Priority priority, std::string_view line);

}  // namespace hal::keyd
