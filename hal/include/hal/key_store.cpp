#include "hal/key_store.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/random.h>

#include "hal/error.h"

namespace hal {
namespace {

// Text and value side by side, both ways.
template <class Value, std::size_t size>
using Names = std::array<std::pair<Value, std::string_view>, size>;

constexpr Names<KeyAlgorithm, 6> algorithms{{{KeyAlgorithm::ecP256, "ec-p256"},
                                             {KeyAlgorithm::ecP384, "ec-p384"},
                                             {KeyAlgorithm::rsa2048, "rsa-2048"},
                                             {KeyAlgorithm::rsa3072, "rsa-3072"},
                                             {KeyAlgorithm::rsa4096, "rsa-4096"},
                                             {KeyAlgorithm::ed25519, "ed25519"}}};
constexpr Names<KeyPolicy, 4> policies{{{KeyPolicy::tpm, "tpm"},
                                        {KeyPolicy::sealed, "sealed"},
                                        {KeyPolicy::file, "file"},
                                        {KeyPolicy::preferTpm, "prefer-tpm"}}};
constexpr Names<KeyBackend, 3> backends{
    {{KeyBackend::tpm, "tpm"}, {KeyBackend::sealed, "sealed"}, {KeyBackend::file, "file"}}};

template <class Value, std::size_t size>
std::string_view textOf(const Names<Value, size>& names, Value value) noexcept {
    for (const auto& [candidate, text] : names)
        if (candidate == value) return text;
    return "";
}

template <class Value, std::size_t size>
std::optional<Value> valueOf(const Names<Value, size>& names, std::string_view text) noexcept {
    for (const auto& [value, candidate] : names)
        if (candidate == text) return value;
    return std::nullopt;
}

}  // namespace

std::string_view toString(KeyAlgorithm algorithm) noexcept {
    return textOf(algorithms, algorithm);
}
std::string_view toString(KeyPolicy policy) noexcept {
    return textOf(policies, policy);
}
std::string_view toString(KeyBackend backend) noexcept {
    return textOf(backends, backend);
}
std::optional<KeyAlgorithm> keyAlgorithmFrom(std::string_view text) noexcept {
    return valueOf(algorithms, text);
}
std::optional<KeyAlgorithm> makeableAlgorithmFrom(std::string_view text) noexcept {
    const std::optional<KeyAlgorithm> algorithm = keyAlgorithmFrom(text);
    return algorithm == KeyAlgorithm::ed25519 ? std::nullopt : algorithm;
}
std::optional<KeyPolicy> keyPolicyFrom(std::string_view text) noexcept {
    return valueOf(policies, text);
}
std::optional<KeyBackend> keyBackendFrom(std::string_view text) noexcept {
    return valueOf(backends, text);
}

KeyId KeyId::fresh() {
    std::array<std::uint8_t, 16> random;
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
        throwErrno(errno, "getrandom");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : random) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return KeyId(std::move(text));
}

std::optional<KeyId> KeyId::parse(std::string_view text) noexcept {
    const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (text.size() != 32 || !std::all_of(text.begin(), text.end(), hexadecimal)) return std::nullopt;
    return KeyId(std::string(text));
}

}  // namespace hal
