// A private key as text, on its way to the key store.
#pragma once

#include <string_view>

#include "hal/handle.h"

namespace certmgr::crypto {

// PKCS#8 PEM in secure memory, wiped when it goes.
class PrivatePem {
  public:
    explicit PrivatePem(const EVP_PKEY& key);
    std::string_view view() const;

  private:
    hal::Bio text_;
};

}  // namespace certmgr::crypto
