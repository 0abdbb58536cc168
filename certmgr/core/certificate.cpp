#include "certmgr/core/certificate.h"

#include <algorithm>
#include <array>
#include <span>

#include <openssl/evp.h>

#include "certmgr/core/error.h"
#include "hal/hex.h"
#include "hal/words.h"

namespace certmgr {
namespace {

// A directory entry holds 255 bytes (NAME_MAX), and "+" with 8 digits has to fit as well.
constexpr std::size_t longestPlainId = 200;

constexpr hal::Words<Source, 3> sources{
    {{Source::local, "local"}, {Source::acme, "acme"}, {Source::uploaded, "uploaded"}}};
constexpr hal::Words<Usage, 2> usages{{{Usage::server, "server"}, {Usage::inspectionCa, "inspection-ca"}}};

std::string sha256Prefix(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw Error(ErrorKind::internal, "openssl-failed", "SHA-256 is not available in this OpenSSL");
    return hal::hex(std::span(digest).first(4));
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

bool isAcmeProfileName(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

std::string_view toString(Usage usage) noexcept {
    return hal::wordOf(usages, usage);
}

std::optional<Usage> usageFrom(std::string_view text) noexcept {
    return hal::valueNamed(usages, text);
}

std::string_view toString(Source source) noexcept {
    return hal::wordOf(sources, source);
}

std::optional<Source> sourceFrom(std::string_view text) noexcept {
    return hal::valueNamed(sources, text);
}

}  // namespace certmgr
