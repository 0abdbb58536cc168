// The product's error type, by its short name. See hal/error.h for the contract.
#pragma once

#include "hal/error.h"

namespace certmgr {
using hal::Error;
using hal::ErrorKind;
}  // namespace certmgr
