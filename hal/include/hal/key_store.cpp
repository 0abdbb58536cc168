#include "hal/key_store.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/random.h>

#include "hal/error.h"
#include "hal/hex.h"
#include "hal/words.h"

namespace hal {
namespace {

constexpr Words<KeyAlgorithm, 6> algorithms{{{KeyAlgorithm::ecP256, "ec-p256"},
                                             {KeyAlgorithm::ecP384, "ec-p384"},
                                             {KeyAlgorithm::rsa2048, "rsa-2048"},
                                             {KeyAlgorithm::rsa3072, "rsa-3072"},
                                             {KeyAlgorithm::rsa4096, "rsa-4096"},
                                             {KeyAlgorithm::ed25519, "ed25519"}}};
constexpr Words<KeyPolicy, 4> policies{{{KeyPolicy::tpm, "tpm"},
                                        {KeyPolicy::sealed, "sealed"},
                                        {KeyPolicy::file, "file"},
                                        {KeyPolicy::preferTpm, "prefer-tpm"}}};
constexpr Words<KeyBackend, 3> backends{
    {{KeyBackend::tpm, "tpm"}, {KeyBackend::sealed, "sealed"}, {KeyBackend::file, "file"}}};

}  // namespace

std::string_view toString(KeyAlgorithm algorithm) noexcept {
    return wordOf(algorithms, algorithm);
}
std::string_view toString(KeyPolicy policy) noexcept {
    return wordOf(policies, policy);
}
std::string_view toString(KeyBackend backend) noexcept {
    return wordOf(backends, backend);
}
std::optional<KeyAlgorithm> keyAlgorithmFrom(std::string_view text) noexcept {
    return valueNamed(algorithms, text);
}
std::optional<KeyAlgorithm> makeableAlgorithmFrom(std::string_view text) noexcept {
    const std::optional<KeyAlgorithm> algorithm = keyAlgorithmFrom(text);
    return algorithm == KeyAlgorithm::ed25519 ? std::nullopt : algorithm;
}
std::optional<KeyPolicy> keyPolicyFrom(std::string_view text) noexcept {
    return valueNamed(policies, text);
}
std::optional<KeyBackend> keyBackendFrom(std::string_view text) noexcept {
    return valueNamed(backends, text);
}

KeyId KeyId::fresh() {
    std::array<std::uint8_t, 16> random;
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
        throwErrno(errno, "getrandom");
    return KeyId(hex(random));
}

std::optional<KeyId> KeyId::parse(std::string_view text) noexcept {
    const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (text.size() != 32 || !std::all_of(text.begin(), text.end(), hexadecimal)) return std::nullopt;
    return KeyId(std::string(text));
}

}  // namespace hal
