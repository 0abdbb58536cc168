// The files of an upload taken apart: PEM, DER and PKCS#12, encrypted keys opened. Nothing is judged here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/crypto/profile.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

// What is taken at most; the page certmgrctl(1) states them.
inline constexpr std::size_t maximumUpload = 256 * 1024;  // octets, of all files together
inline constexpr std::size_t maximumUploadFiles = 10;
inline constexpr std::size_t maximumPrivateKeys = 10;
inline constexpr std::size_t maximumPassphrase = 1024;  // octets

struct UploadFiles {
    std::vector<std::string_view> contents;
    std::optional<std::string_view> passphrase;  // for all that is encrypted in them
};

struct UploadParts {
    std::vector<X509Ptr> certificates;  // in the order of the files
    std::vector<hal::Pkey> keys;
    // Private keys that could not be read. They matter only where no other one fits.
    std::vector<Finding> unreadableKeys;
};

// Throws Error(rejected): "too-large", "empty", "bad-format", "bad-pem", "bad-certificate", "no-certificate",
// "bad-pkcs12", "passphrase-needed", "wrong-passphrase", "encryption-not-supported", "too-costly".
UploadParts readUpload(const UploadFiles& files);

// Throws "too-large" beyond the limits above. For what is found inside a file, whatever its format.
void addCertificate(UploadParts& parts, X509Ptr certificate);
void addKey(UploadParts& parts, const PKCS8_PRIV_KEY_INFO& key);
void addUnreadableKey(UploadParts& parts, const Error& error);

}  // namespace certmgr::crypto
