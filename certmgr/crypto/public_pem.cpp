#include "certmgr/crypto/public_pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

using hal::Bio;

// `Read` skips blocks of other kinds.
template <class Object, auto Free, auto Read, auto Write>
std::string writtenAnew(std::string_view pem, const char* what) {
    const Bio in(check(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "BIO_new_mem_buf"));
    const Bio out(check(BIO_new(BIO_s_mem()), "BIO_new"));
    ERR_clear_error();
    while (const hal::Handle<Object, Free> object{Read(in.get(), nullptr, nullptr, nullptr)})
        check(Write(out.get(), object.get()), "PEM_write_bio");
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        reject("bad-pem", std::string("found a damaged ") + what + ", expected PEM");
    return std::string(writtenTo(*out));
}

}  // namespace

std::string certificatesOf(std::string_view pem) {
    return writtenAnew<X509, X509_free, PEM_read_bio_X509, PEM_write_bio_X509>(pem, "certificate");
}

std::string revocationListsOf(std::string_view pem) {
    return writtenAnew<X509_CRL, X509_CRL_free, PEM_read_bio_X509_CRL, PEM_write_bio_X509_CRL>(
        pem, "revocation list");
}

}  // namespace certmgr::crypto
