// The key stores that the contract is held against, each with the policy that leads to one back end.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>

#include <gtest/gtest.h>

#include "hal/key_store.h"

namespace contract {

enum class Store { memory, file, sealed, sealedBehindAbrmd, tpm, tpmBehindAbrmd };
std::string nameOf(Store store);

class Environment {
  public:
    virtual ~Environment() = default;
    virtual hal::KeyStore& keys() = 0;
};
std::unique_ptr<Environment> environmentFor(Store store);

// One environment for all tests of a store: each test makes its own keys.
class KeyStoreContract : public testing::TestWithParam<Store> {
  public:
    static void TearDownTestSuite() { environments_.clear(); }

  protected:
    hal::KeyStore& keys();
    hal::KeyPolicy policy() const;
    hal::KeyBackend backend() const;
    hal::KeyRequest request(hal::KeyAlgorithm algorithm = hal::KeyAlgorithm::ecP256) const;

  private:
    static std::map<Store, std::unique_ptr<Environment>> environments_;
};

hal::Bytes digest(hal::Hash hash, std::string_view text);
// In software, with OpenSSL's default provider and nothing of ours.
bool verifies(const hal::Bytes& publicKey, hal::SignatureScheme scheme, hal::Hash hash,
              std::span<const std::uint8_t> digest, const hal::Bytes& signature);
std::string codeOf(
    const std::function<void()>& call);  // of the hal::Error it throws; "" where it throws none

}  // namespace contract
