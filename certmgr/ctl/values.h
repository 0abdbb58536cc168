// D-Bus values as JSON: strings, numbers, truth values, arrays, and dictionaries with string keys as objects.
#pragma once

#include <nlohmann/json.hpp>
#include <systemd/sd-bus.h>

namespace certmgr::ctl {

using Json = nlohmann::json;

// The next complete value of the message. Throws Failure for a type that org.certmgr1 does not use.
Json readValue(sd_bus_message* message);

}  // namespace certmgr::ctl
