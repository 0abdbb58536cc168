#include "certmgr/crypto/csr.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <openssl/pem.h>

#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/x509_fields.h"

namespace certmgr::crypto {
namespace {

constexpr std::size_t maximumCsr = 64 * 1024;

[[noreturn]] void refuse(const char* code, const std::string& message) {
    throw Error(ErrorKind::rejected, code, "the certificate request " + message);
}

// Without it OpenSSL asks for the passphrase of an encrypted PEM at the terminal.
int noPassphrase(char*, int, int, void*) {
    return -1;
}

hal::X509ReqPtr parse(std::string_view text) {
    if (text.size() > maximumCsr) refuse("too-large", "is larger than 64 KiB");
    const hal::Bio source(
        check(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "BIO_new_mem_buf"));
    // RFC 7468: a PEM text is ASCII; DER begins with the tag of a SEQUENCE.
    const bool der = !text.empty() && text.front() == 0x30;
    hal::X509ReqPtr request(der ? d2i_X509_REQ_bio(source.get(), nullptr)
                                : PEM_read_bio_X509_REQ(source.get(), nullptr, noPassphrase, nullptr));
    if (!request) refuse("bad-csr", "does not parse (" + takeReason() + "): expected PKCS#10 as PEM or DER");
    return request;
}

void requireSoundKey(X509_REQ& request) {
    EVP_PKEY* key = X509_REQ_get0_pubkey(&request);
    if (!key) refuse("bad-csr", "has a public key that does not parse (" + takeReason() + ")");
    if (X509_REQ_verify(&request, key) != 1) {
        takeReason();
        refuse("bad-signature", "is not signed by the key that it is for: make it again, with that key");
    }
    std::array<char, 64> group{};
    const bool curve = EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1;
    ERR_clear_error();
    const std::string name = curve ? group.data() : "";
    const bool strong = EVP_PKEY_is_a(key, "RSA")
                            ? EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 8192
                            : EVP_PKEY_is_a(key, "ED25519") || name == "prime256v1" || name == "secp384r1" ||
                                  name == "secp521r1";
    if (!strong)
        refuse("weak-key",
               "is for a key that is not taken: expected RSA of 2048 to 8192 bits, P-256, P-384, "
               "P-521 or Ed25519");
}

std::string commonNameOf(const X509_REQ& request) {
    const X509_NAME* subject = X509_REQ_get_subject_name(&request);
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) refuse("bad-csr", "has a common name that is no text (" + takeReason() + ")");
    std::string name(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return name;
}

std::string addressText(const ASN1_STRING& octets) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int size = ASN1_STRING_length(&octets);
    if (size != 4 && size != 16) refuse("bad-csr", "asks for an IP address that is none");
    inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(&octets), text.data(), text.size());
    return text.data();
}

AlternativeName nameFrom(const GENERAL_NAME& name) {
    const auto text = [](const ASN1_STRING* string) {
        return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                           static_cast<std::size_t>(ASN1_STRING_length(string)));
    };
    switch (name.type) {
        case GEN_DNS:
            return parseAlternativeName("dns:" + text(name.d.dNSName));
        case GEN_IPADD:
            return parseAlternativeName("ip:" + addressText(*name.d.iPAddress));
        case GEN_EMAIL:
            return parseAlternativeName("email:" + text(name.d.rfc822Name));
        case GEN_URI:
            return parseAlternativeName("uri:" + text(name.d.uniformResourceIdentifier));
        default:
            refuse("bad-csr", "asks for a name that is neither DNS name, IP address, e-mail address nor URI");
    }
}

std::vector<AlternativeName> requestedNames(X509_REQ& request) {
    const ExtensionsPtr extensions(X509_REQ_get_extensions(&request));
    if (!extensions) return {};
    int state = 0;  // -1: there is none
    const GeneralNamesPtr found(
        static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions.get(), NID_subject_alt_name, &state, nullptr)));
    if (!found && state != -1)
        refuse("bad-csr", "has a subjectAltName that does not parse, or two of them (" + takeReason() + ")");
    std::vector<AlternativeName> names;
    for (int i = 0; i < sk_GENERAL_NAME_num(found.get()); ++i)
        names.push_back(nameFrom(*sk_GENERAL_NAME_value(found.get(), i)));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace

CsrContents readCsr(std::string_view text) {
    const hal::X509ReqPtr request = parse(text);
    requireSoundKey(*request);
    return {publicKeyInfoOf(*X509_REQ_get0_pubkey(request.get())), commonNameOf(*request),
            requestedNames(*request)};
}

std::string csrToPem(const Bytes& der) {
    const unsigned char* end = der.data();
    const hal::X509ReqPtr request(
        check(d2i_X509_REQ(nullptr, &end, static_cast<long>(der.size())), "d2i_X509_REQ"));
    const hal::Bio bio(check(BIO_new(BIO_s_mem()), "BIO_new"));
    check(PEM_write_bio_X509_REQ(bio.get(), request.get()), "PEM_write_bio_X509_REQ");
    return std::string(writtenTo(*bio));
}

}  // namespace certmgr::crypto
