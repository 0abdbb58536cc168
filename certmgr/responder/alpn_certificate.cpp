#include "certmgr/responder/alpn_certificate.h"

#include <array>
#include <cstdint>

#include <openssl/rand.h>

namespace certmgr::responder {
namespace {

using Object = hal::Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using OctetString = hal::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

constexpr const char* acmeIdentifier = "1.3.6.1.5.5.7.1.31";  // id-pe-acmeIdentifier, RFC 8737 6.1
constexpr std::size_t digestSize = 32;
constexpr long day = 24 * 60 * 60;  // to either side: a CA's clock and the box's may differ

bool onlyOf(std::string_view text, std::string_view characters) {
    return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// Nothing that could be more than one name to OpenSSL's reader of extensions.
bool isAlternativeName(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::string_view rest = "ghijklmnopqrstuvwxyz-._";
    if (text.starts_with("DNS:")) return onlyOf(text.substr(4), std::string(digits).append(rest));
    return text.starts_with("IP:") && onlyOf(text.substr(3), std::string(digits).append(".:"));
}

std::uint8_t nibble(char digit) {
    return static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

bool add(X509& certificate, const hal::ExtensionPtr& extension) {
    return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

hal::ExtensionPtr alternativeName(const std::string& name) {
    // RFC 5280 4.2.1.6: critical where the subject is empty.
    return hal::ExtensionPtr(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("critical," + name).c_str()));
}

// RFC 8737 3: "The extension MUST be marked critical", and its value is the digest as an OCTET STRING.
hal::ExtensionPtr identifier(const std::string& digest) {
    std::array<unsigned char, 2 + digestSize> value{V_ASN1_OCTET_STRING, digestSize};
    for (std::size_t i = 0; i < digestSize; ++i)
        value[2 + i] = static_cast<unsigned char>(nibble(digest[2 * i]) << 4 | nibble(digest[2 * i + 1]));
    const Object object(OBJ_txt2obj(acmeIdentifier, /*no_name=*/1));
    const OctetString data(ASN1_OCTET_STRING_new());
    if (!object || !data ||
        ASN1_OCTET_STRING_set(data.get(), value.data(), static_cast<int>(value.size())) != 1)
        return nullptr;
    return hal::ExtensionPtr(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), /*crit=*/1, data.get()));
}

}  // namespace

std::optional<AlpnAnswer> parseAlpnAnswer(std::string_view content) {
    if (content.ends_with('\n')) content.remove_suffix(1);
    const std::size_t end = content.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    AlpnAnswer answer{std::string(content.substr(0, end)), std::string(content.substr(end + 1))};
    if (!isAlternativeName(answer.alternativeName) || answer.digest.size() != 2 * digestSize ||
        !onlyOf(answer.digest, "0123456789abcdef"))
        return std::nullopt;
    return answer;
}

hal::X509Ptr alpnCertificate(const AlpnAnswer& answer, EVP_PKEY& key) noexcept {
    hal::X509Ptr certificate(X509_new());
    std::uint32_t serial = 0;
    const bool made =
        certificate && RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
        X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -day) &&
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), day) &&
        X509_set_pubkey(certificate.get(), &key) == 1 &&
        add(*certificate, alternativeName(answer.alternativeName)) &&
        add(*certificate, identifier(answer.digest)) && X509_sign(certificate.get(), &key, EVP_sha256()) > 0;
    return made ? std::move(certificate) : nullptr;
}

}  // namespace certmgr::responder
