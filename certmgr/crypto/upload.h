// The admission check of an upload (features.md 4): everything that is wrong with it at once, and nothing
// changed.
#pragma once

#include <optional>
#include <vector>

#include "certmgr/crypto/profile.h"
#include "certmgr/crypto/upload_parts.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {

struct UploadReport {
    std::vector<X509Ptr> chain;  // leaf first, without the root; empty where no chain could be made
    std::vector<X509Ptr> roots;  // the self-signed CAs that were there
    std::optional<CertificateSummary> leaf;  // present with the chain
    hal::Pkey key;                           // the leaf's; empty where none fits
    std::vector<Finding> findings;

    bool acceptable() const noexcept { return findings.empty(); }
};

// Takes the files apart, puts the chain in order, judges each of its members, looks for the key of the leaf.
// `names`: what the leaf has to cover; empty: not asked. `anchors`: where the chain has to end; empty: it
// need only be whole, up to a CA or to a root in the upload. Findings have the codes of readUpload(),
// inspectChain() and fittingKey(). Throws nothing but internal errors.
UploadReport inspectUpload(const UploadFiles& files, const std::vector<Identifier>& names, TimePoint now,
                           const std::vector<X509Ptr>& anchors = {});

// The same without a key. Codes: those of orderChain(), verifyChain(), checkProfile() and checkValidity(),
// and "names-not-covered", "no-names", "too-many-names", "bad-subject", "self-signed", "ca-as-leaf",
// "key-too-large", "key-not-supported".
UploadReport inspectChain(std::vector<X509Ptr> certificates, const std::vector<Identifier>& names,
                          TimePoint now, const std::vector<X509Ptr>& anchors = {});

// "key-not-supported", where the key store does not take keys like that of the leaf.
std::optional<Finding> whyKeyNotKept(const X509& leaf);

// The key among `parts` that is the one of the leaf; empty, with findings, where there is none: "no-key",
// "key-mismatch", "bad-key", and those of keys that cannot be read.
hal::Pkey fittingKey(UploadParts& parts, const X509& leaf, std::vector<Finding>& findings);

}  // namespace certmgr::crypto
