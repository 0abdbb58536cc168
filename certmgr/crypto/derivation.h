// A file says itself how much work it is to derive a key from its passphrase: a bound on that, held before
// any of the work is done.
#pragma once

#include <cstdint>

#include <openssl/x509.h>

namespace certmgr::crypto {

// One for each upload. OpenSSL and Windows write 2,048 iterations, GnuTLS 600,000, and a file has up to four
// such keys.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION  // of libFuzzer: a file a second finds nothing
inline constexpr std::uint64_t maximumIterations = 10'000;
#else
inline constexpr std::uint64_t maximumIterations = 5'000'000;
#endif

class DerivationBudget {
  public:
    // Each throws Error(rejected, "too-costly") where more is asked for than is left. PBES1, PBES2 with
    // PBKDF2 or scrypt (RFC 8018, RFC 7914), and PKCS#12's own schemes; what is none of them costs nothing,
    // for OpenSSL refuses it.
    void spend(const X509_ALGOR& encryption);
    void spend(const ASN1_INTEGER* iterations);  // nullptr: the default of RFC 7292 4, 1

  private:
    void take(std::uint64_t cost);

    std::uint64_t left_ = maximumIterations;
};

}  // namespace certmgr::crypto
