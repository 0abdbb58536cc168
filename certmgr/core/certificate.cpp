#include "certmgr/core/certificate.h"

#include <array>

#include <openssl/evp.h>

#include "certmgr/core/error.h"

namespace certmgr {
namespace {

// A directory entry holds 255 bytes (NAME_MAX), and "+" with 8 digits has to fit as well.
constexpr std::size_t longestPlainId = 200;

std::string sha256Prefix(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw Error(ErrorKind::internal, "openssl-failed", "SHA-256 is not available in this OpenSSL");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (std::size_t i = 0; i < 4; ++i) {
        result += digits[digest[i] >> 4];
        result += digits[digest[i] & 15];
    }
    return result;
}

}  // namespace

CertificateId certificateIdFor(const std::vector<Identifier>& sortedNames) {
    std::string id = sortedNames.front().value;
    if (sortedNames.front().wildcard()) id.front() = '_';
    if (sortedNames.size() == 1 && id.size() <= longestPlainId) return id;
    std::string all;
    for (const Identifier& name : sortedNames) all += name.value + "\n";
    return id.substr(0, longestPlainId) + "+" + sha256Prefix(all);
}

std::string_view toString(Usage usage) noexcept {
    return usage == Usage::server ? "server" : "inspection-ca";
}

std::optional<Usage> usageFrom(std::string_view text) noexcept {
    for (const Usage usage : {Usage::server, Usage::inspectionCa})
        if (toString(usage) == text) return usage;
    return std::nullopt;
}

std::string_view toString(Source source) noexcept {
    switch (source) {
        case Source::local:
            return "local";
        case Source::acme:
            return "acme";
        case Source::uploaded:
            return "uploaded";
    }
    return "";
}

std::optional<Source> sourceFrom(std::string_view text) noexcept {
    for (const Source source : {Source::local, Source::acme, Source::uploaded})
        if (toString(source) == text) return source;
    return std::nullopt;
}

}  // namespace certmgr
