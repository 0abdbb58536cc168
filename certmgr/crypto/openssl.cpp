#include "certmgr/crypto/openssl.h"

#include "certmgr/core/error.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

std::string takeReason() {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return reason ? reason : "no reason given";
}

void throwOpenSsl(std::string_view call) {
    throw Error(ErrorKind::internal, "openssl-failed", std::string(call) + " failed: " + takeReason());
}

std::string_view writtenTo(BIO& memory) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(&memory, &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string rfc4514(const X509_NAME& name) {
    const hal::Bio bio(check(BIO_new(BIO_s_mem()), "BIO_new"));
    check(X509_NAME_print_ex(bio.get(), &name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) + 1,
          "X509_NAME_print_ex");
    return std::string(writtenTo(*bio));
}

std::string subjectOf(const X509& certificate) {
    return "\"" + shortened(rfc4514(*X509_get_subject_name(&certificate)), 200) + "\"";
}

std::string shortened(std::string text, std::size_t size) {
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    text.resize(size);
    return text + "…";
}

// Not X509_self_signed: that asks the authorityKeyIdentifier too, so a root with a wrong one would pass for a
// subordinate.
bool selfSigned(const X509& certificate) {
    return issued(certificate, certificate);
}

bool issued(const X509& issuer, const X509& certificate) {
    if (X509_NAME_cmp(X509_get_subject_name(&issuer), X509_get_issuer_name(&certificate)) != 0) return false;
    EVP_PKEY* key = X509_get0_pubkey(&issuer);
    const bool verified = key && X509_verify(cached(certificate), key) == 1;
    ERR_clear_error();
    return verified;
}

bool mayIssue(const X509& certificate) {
    return (X509_get_extension_flags(cached(certificate)) & EXFLAG_CA) != 0;
}

}  // namespace certmgr::crypto
