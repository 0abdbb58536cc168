// Text from outside on its way to the bus.
#pragma once

#include <string>
#include <string_view>

namespace certmgr::bus {

// D-Bus specification, "Basic types": a string is UTF-8 without NUL; the broker disconnects who sends
// anything else, and a CA's problem document is whatever its server sent. What is not allowed becomes U+FFFD.
std::string validText(std::string_view text);

}  // namespace certmgr::bus
