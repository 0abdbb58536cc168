// What opens encrypted keys and PKCS#12: OpenSSL with its legacy provider, apart from everything else in the
// process.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <openssl/provider.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/derivation.h"
#include "hal/handle.h"

namespace certmgr::crypto {

using Pkcs8Ptr = hal::Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

// For one upload. RC2 and single DES, which old Windows and Java wrote, are in the legacy provider alone;
// where that cannot be loaded, everything else goes on.
class Decryption {
  public:
    // Absent: none was given, which is not the same as an empty one.
    explicit Decryption(std::optional<std::string_view> passphrase);

    OSSL_LIB_CTX* context() const noexcept { return context_.get(); }
    const std::optional<std::string_view>& passphrase() const noexcept { return passphrase_; }
    DerivationBudget& budget() noexcept { return budget_; }

    // An EncryptedPrivateKeyInfo (RFC 5958 3). Error(rejected): "passphrase-needed", "wrong-passphrase",
    // "too-costly", and those of failure().
    Pkcs8Ptr open(const X509_SIG& encrypted);

    // Why OpenSSL, whose newest error this takes, did not decrypt: "wrong-passphrase", or
    // "encryption-not-supported" with the name of the scheme.
    Error failure(const X509_ALGOR& encryption) const;
    // "passphrase-needed", or "wrong-passphrase" where one was given. `what`: "the private key".
    Error passphraseError(std::string_view what) const;

  private:
    hal::LibContext context_;
    hal::Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_;
    hal::Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload> legacy_;  // empty: it cannot be loaded
    std::optional<std::string_view> passphrase_;
    DerivationBudget budget_;
};

}  // namespace certmgr::crypto
