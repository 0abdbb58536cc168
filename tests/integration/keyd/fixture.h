// What the tests of the daemon share.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "hal/key_store.h"

namespace keyd_test {

hal::KeyRequest request(hal::KeyPolicy policy = hal::KeyPolicy::file, hal::AccessList access = {});
hal::Bytes sign(hal::KeyStore& keys, const hal::KeyId& id);  // ECDSA with SHA-256 over a fixed digest
bool verifies(const hal::Bytes& publicKey, const hal::Bytes& signature);
std::string codeOf(
    const std::function<void()>& call);  // of the hal::Error it throws; "" where it throws none

}  // namespace keyd_test
