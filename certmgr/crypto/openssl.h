// What every file of this folder needs of OpenSSL: handles, its error queue, and names.
#pragma once

#include <string>
#include <string_view>

#include <openssl/err.h>

#include "hal/handle.h"
#include "hal/key_store.h"

namespace certmgr::crypto {

using GeneralNamesPtr = hal::Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using AuthorityKeyIdPtr = hal::Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using BasicConstraintsPtr = hal::Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using ExtendedKeyUsagePtr = hal::Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using OctetStringPtr = hal::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using BitStringPtr = hal::Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using AlgorithmPtr = hal::Handle<X509_ALGOR, X509_ALGOR_free>;
using ObjectPtr = hal::Handle<ASN1_OBJECT, ASN1_OBJECT_free>;

inline void freeBorrowedCertificates(STACK_OF(X509) * stack) {
    sk_X509_free(stack);
}
using BorrowedCertificates = hal::Handle<STACK_OF(X509), freeBorrowedCertificates>;

inline void freeBorrowedExtensions(STACK_OF(X509_EXTENSION) * stack) {
    sk_X509_EXTENSION_free(stack);
}
using BorrowedExtensions = hal::Handle<STACK_OF(X509_EXTENSION), freeBorrowedExtensions>;

inline void freeExtensions(STACK_OF(X509_EXTENSION) * stack) {
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
using ExtensionsPtr = hal::Handle<STACK_OF(X509_EXTENSION), freeExtensions>;

// OpenSSL caches the decoded extensions inside the certificate, under a lock of its own: the getters that do
// so ask for a pointer that is not const.
inline X509* cached(const X509& certificate) {
    return const_cast<X509*>(&certificate);
}

// Takes the reason of the newest entry of the error queue and empties the queue; "no reason given" where it
// is empty.
std::string takeReason();

// An internal Error "openssl-failed" that names the call.
[[noreturn]] void throwOpenSsl(std::string_view call);
template <class T>
T* check(T* result, std::string_view call) {
    if (!result) throwOpenSsl(call);
    return result;
}
inline void check(int result, std::string_view call) {
    if (result <= 0) throwOpenSsl(call);
}

// The DER of what `encode` (i2d_X509 …) takes.
template <class Value>
hal::Bytes derOf(const Value& value, int (*encode)(const Value*, unsigned char**), std::string_view call) {
    const int size = encode(&value, nullptr);
    check(size, call);
    hal::Bytes der(static_cast<std::size_t>(size));
    unsigned char* end = der.data();
    check(encode(&value, &end), call);
    return der;
}

// As long as the memory BIO lives and nothing more is written to it.
std::string_view writtenTo(BIO& memory);

std::string rfc4514(const X509_NAME& name);
std::string subjectOf(
    const X509& certificate);  // "CN=…" in quotation marks, for messages, at most 200 octets
// At most `size` octets of it, cut between characters (UTF-8) and with "…" behind what was cut.
std::string shortened(std::string text, std::size_t size);
bool selfSigned(const X509& certificate);
bool mayIssue(const X509& certificate);  // basicConstraints says CA:TRUE

}  // namespace certmgr::crypto
