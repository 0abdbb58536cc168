// A certification authority of the box's own, as stored and shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "certmgr/core/certificate.h"

namespace certmgr {

enum class AuthorityRole { root, issuing };
std::string_view toString(AuthorityRole role) noexcept;
std::optional<AuthorityRole> authorityRoleFrom(std::string_view text) noexcept;

// One CA certificate with its key, as stored.
struct AuthorityRecord {
    std::string id;  // "root-1", "issuing-3": role and a running number
    AuthorityRole role = AuthorityRole::root;
    KeyId key;
    std::string certificatePem;
    std::string parent;  // id; empty for a root
    CertificateSummary summary;
    // Of an issuing CA below somebody else's root: the CAs above it, the root last. Empty below our own.
    std::string upperChainPem = {};

    bool foreign() const { return role == AuthorityRole::issuing && parent.empty(); }
};

// The name and key of one root, signed by another one of ours: who trusts `issuer` then trusts what `subject`
// signed.
struct CrossCertificate {
    std::string subject;  // id of a root
    std::string issuer;   // id of a root
    std::string certificatePem;
    TimePoint notAfter;
};

}  // namespace certmgr
