// hal::Error as D-Bus errors: the code becomes the name, the sentence the message.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "certmgr/bus/sd_bus.h"

namespace certmgr::bus {

// "bad-name" -> "org.certmgr1.Error.BadName" where the caller is at fault (rejected), else
// "org.certmgr1.Failure.BadName". What is no letter or digit separates words; a code without any gives
// "Failed".
std::string errorName(hal::ErrorKind kind, std::string_view code);

// Runs `work` and turns what it throws into an error reply to `call`. For use at the edge of a C callback:
// never throws.
void replyWithErrors(sd_bus_message* call, const std::function<void()>& work) noexcept;

// The same for property getters, which hand their error back: 0, or a negative errno with `error` set.
int reportErrors(sd_bus_error* error, const std::function<void()>& work) noexcept;

}  // namespace certmgr::bus
