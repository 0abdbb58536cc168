// The border between OpenSSL's C tables and our C++: nothing is thrown across it.
#pragma once

#include <exception>
#include <memory>
#include <type_traits>

#include <openssl/core_dispatch.h>
#include <openssl/err.h>

namespace hal::provider {

inline constexpr char propertyDefinition[] = "provider=certmgr";

// The names must be those of the default provider: libcrypto takes them for aliases of one algorithm.
inline constexpr char ecNames[] = "EC:id-ecPublicKey:1.2.840.10045.2.1";
inline constexpr char rsaNames[] = "RSA:rsaEncryption:1.2.840.113549.1.1.1";
inline constexpr char ed25519Names[] = "ED25519:1.3.101.112";

const OSSL_ALGORITHM* keyManagementAlgorithms() noexcept;
const OSSL_ALGORITHM* signatureAlgorithms() noexcept;
const OSSL_DISPATCH* ed25519SignatureFunctions() noexcept;
const OSSL_ALGORITHM* decoderAlgorithms() noexcept;
const OSSL_ALGORITHM* encoderAlgorithms() noexcept;

// The compiler checks `function` against OpenSSL's type of it, which the table itself cannot.
template <class Function>
OSSL_DISPATCH entry(int id, std::type_identity_t<Function>* function) noexcept {
    return {id, reinterpret_cast<void (*)()>(function)};
}
inline constexpr OSSL_DISPATCH endOfDispatch{0, nullptr};
inline constexpr OSSL_ALGORITHM endOfAlgorithms{nullptr, nullptr, nullptr, nullptr};

inline void raise(const char* sentence) noexcept {
    ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "%s", sentence);
}

// What `action` throws becomes an entry of the thread's OpenSSL error queue.
template <class Result, class Action>
Result guarded(Result onError, Action&& action) noexcept {
    try {
        return action();
    } catch (const std::exception& error) {
        raise(error.what());
        return onError;
    }
}

// Objects that OpenSSL holds as void* between our calls.
template <class T>
void* handOver(std::unique_ptr<T> object) noexcept {
    return object.release();
}
template <class T>
void takeBack(void* object) noexcept {
    std::unique_ptr<T>(static_cast<T*>(object)).reset();
}

}  // namespace hal::provider
