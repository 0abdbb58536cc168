// The product's error type, by its short name. See hal/error.h for the contract.
#pragma once

#include <string>
#include <utility>

#include "hal/error.h"

namespace certmgr {
using hal::Error;
using hal::ErrorKind;

[[noreturn]] inline void reject(std::string code, std::string message) {
    throw Error(ErrorKind::rejected, std::move(code), std::move(message));
}
}  // namespace certmgr
