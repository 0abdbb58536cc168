// The admission check of an uploaded chain (features.md 4): everything that is wrong with it at once, and
// nothing changed.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "certmgr/crypto/profile.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

struct UploadReport {
    std::vector<X509Ptr>
        chain;  // leaf first, without the root; empty where no chain could be made of the text
    std::vector<X509Ptr> roots;              // the self-signed CAs that were in the text
    std::size_t privateKeys = 0;             // blocks, counted and not read
    std::optional<CertificateSummary> leaf;  // present with the chain
    std::vector<Finding> findings;

    bool acceptable() const noexcept { return findings.empty(); }
};

// Reads certificates in any order. `names`: what the leaf has to cover; empty: not asked. `anchors`: where
// the chain has to end; empty: it need only be whole, up to a CA or to a root in the text. Findings have the
// codes of Error that parseChainPem, orderChain and verifyChain throw, those of checkProfile, and
// "names-not-covered", "expired", "not-yet-valid", "self-signed",
// and "key-not-supported" for a leaf whose key the key store would not take. Whether the key fits is said by
// keyMatches (imported) or keyPemMatches (not yet). Throws nothing but internal errors.
UploadReport inspectUpload(std::string_view pem, const std::vector<Identifier>& names, TimePoint now,
                           const std::vector<X509Ptr>& anchors = {});

// Is the private key in the text the one of the leaf? The key is decoded in locked memory to compare its
// public half and wiped before the return; the caller wipes the text. Throws Error(rejected): "bad-pem",
// "too-large", "no-key", "two-keys", "encrypted-key", "bad-key".
bool keyPemMatches(std::string_view pem, const X509& leaf);

}  // namespace certmgr::crypto
