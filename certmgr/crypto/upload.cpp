#include "certmgr/crypto/upload.h"

#include <algorithm>

#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

// A signature by a larger key, or by one of another kind, may take seconds to verify.
constexpr int largestRsa = 8192;
constexpr std::size_t mostNames = 1000;
constexpr std::size_t longestSubject = 1024;
constexpr std::size_t longestMessage = 1000;

void add(UploadReport& report, std::string code, std::string message) {
    report.findings.push_back({std::move(code), shortened(std::move(message), longestMessage)});
}

// The rejections of a step become findings; anything else is a defect and goes on.
template <class Step>
bool attempt(UploadReport& report, Step step) {
    try {
        step();
        return true;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::rejected) throw;
        add(report, error.code(), error.what());
        return false;
    }
}

X509Ptr share(const X509Ptr& certificate) {
    check(X509_up_ref(certificate.get()), "X509_up_ref");
    return X509Ptr(certificate.get());
}

std::string textOf(const std::vector<Identifier>& names) {
    constexpr std::size_t shown = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
        text += (i == 0 ? "" : ", ") + names[i].value;
    if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
    return text.empty() ? "no name" : text;
}

void checkMember(const X509& certificate, Position position, TimePoint now, UploadReport& report) {
    const auto take = [&](const std::vector<Finding>& findings) {
        for (const Finding& finding : findings)
            add(report, finding.code, subjectOf(certificate) + ": " + finding.message);
    };
    attempt(report, [&] { take(checkValidity(certificate, now)); });
    take(checkProfile(certificate, position));
}

bool affordable(const X509& certificate) {
    const EVP_PKEY& key = *X509_get0_pubkey(&certificate);
    if (EVP_PKEY_is_a(&key, "RSA") || EVP_PKEY_is_a(&key, "RSA-PSS"))
        return EVP_PKEY_get_bits(&key) <= largestRsa;
    return EVP_PKEY_is_a(&key, "EC") || EVP_PKEY_is_a(&key, "ED25519") || EVP_PKEY_is_a(&key, "ED448");
}

bool allAffordable(const std::vector<X509Ptr>& certificates, UploadReport& report) {
    for (const X509Ptr& certificate : certificates)
        if (!affordable(*certificate))
            add(report, "key-too-large",
                subjectOf(*certificate) + " has a key of the kind " +
                    EVP_PKEY_get0_type_name(X509_get0_pubkey(certificate.get())) + " with " +
                    std::to_string(EVP_PKEY_get_bits(X509_get0_pubkey(certificate.get()))) +
                    " bits; expected RSA of at most " + std::to_string(largestRsa) +
                    " bits, EC or Ed25519: have it issued with another key");
    return report.acceptable();
}

void checkNames(const std::vector<Identifier>& names, UploadReport& report) {
    const CertificateSummary& leaf = *report.leaf;
    if (leaf.names.empty())
        return add(
            report, "no-names",
            "\"" + leaf.subject +
                "\" is for no name: expected a DNS name or an IP address in its subjectAltName, or a CN "
                "that is one");
    std::vector<Identifier> missing;
    for (const Identifier& name : names)
        if (!coversAll(leaf.names, {name})) missing.push_back(name);
    if (!missing.empty())
        add(report, "names-not-covered",
            "the leaf is for " + textOf(leaf.names) + " and does not cover " + textOf(missing) +
                ": expected a certificate with these names");
}

// What is stored and shown of a leaf has its bounds; what lies beyond them is no server's certificate.
bool checkBounds(UploadReport& report) {
    const CertificateSummary& leaf = *report.leaf;
    if (leaf.names.size() > mostNames)
        add(report, "too-many-names",
            "the leaf has " + std::to_string(leaf.names.size()) + " names, at most " +
                std::to_string(mostNames) + " are taken: have it issued for fewer");
    if (leaf.subject.size() > longestSubject || leaf.issuer.size() > longestSubject)
        add(report, "bad-subject",
            "the subject or the issuer of the leaf has more than " + std::to_string(longestSubject) +
                " characters: expected names as CAs write them");
    return report.acceptable();
}

// A weak key is refused for being weak.
void checkKeyIsKept(UploadReport& report) {
    const auto weak = [](const Finding& finding) { return finding.code == "weak-key"; };
    if (std::any_of(report.findings.begin(), report.findings.end(), weak)) return;
    if (std::optional<Finding> finding = whyKeyNotKept(*report.chain.front()))
        report.findings.push_back(std::move(*finding));
}

// A leaf alone is whole only where its issuer is known to be the top.
void checkWhole(const std::vector<X509Ptr>& anchors, UploadReport& report) {
    const X509& leaf = *report.chain.front();
    if (selfSigned(leaf)) {
        add(report, "self-signed",
            subjectOf(leaf) + " signed itself; expected a certificate that a CA issued");
        return;
    }
    const auto signedLeaf = [&](const X509Ptr& root) { return issued(*root, leaf); };
    if (report.chain.size() > 1 || std::any_of(report.roots.begin(), report.roots.end(), signedLeaf) ||
        std::any_of(anchors.begin(), anchors.end(), signedLeaf))
        return;
    add(report, "chain-incomplete",
        "\"" + rfc4514(*X509_get_issuer_name(&leaf)) + "\", which issued " + subjectOf(leaf) +
            ", is missing: add the certificate of that CA");
}

void sortOut(std::vector<X509Ptr> certificates, TimePoint now, UploadReport& report) {
    std::vector<X509Ptr> all;
    for (const X509Ptr& certificate : certificates) {
        all.push_back(share(certificate));
        if (mayIssue(*certificate) && selfSigned(*certificate)) report.roots.push_back(share(certificate));
    }
    if (attempt(report, [&] { report.chain = orderChain(std::move(certificates)); })) return;
    if (std::all_of(all.begin(), all.end(), [](const X509Ptr& one) { return mayIssue(*one); })) {
        report.findings.clear();
        return add(report, "ca-as-leaf",
                   subjectOf(*all.front()) +
                       " is a CA (CA:TRUE), and no server certificate is with it: "
                       "expected the certificate of a service, with the CAs above it");
    }
    for (const X509Ptr& certificate : all)  // no order, but each can still be judged by itself
        checkMember(*certificate,
                    !mayIssue(*certificate)    ? Position::leaf
                    : selfSigned(*certificate) ? Position::anchor
                                               : Position::intermediate,
                    now, report);
}

}  // namespace

UploadReport inspectChain(std::vector<X509Ptr> certificates, const std::vector<Identifier>& names,
                          TimePoint now, const std::vector<X509Ptr>& anchors) {
    UploadReport report;
    if (!allAffordable(certificates, report)) return report;
    sortOut(std::move(certificates), now, report);
    if (report.chain.empty()) return report;
    attempt(report, [&] { report.leaf = summarize(*report.chain.front()); });
    if (!report.leaf || !checkBounds(report)) return report;
    checkWhole(anchors, report);
    for (const X509Ptr& certificate : report.chain)
        checkMember(*certificate,
                    certificate == report.chain.front() ? Position::leaf : Position::intermediate, now,
                    report);
    for (const X509Ptr& root : report.roots) checkMember(*root, Position::anchor, now, report);
    checkNames(names, report);
    checkKeyIsKept(report);
    // What OpenSSL adds (constraints of the path, trust) is asked only of a chain that is sound by itself.
    if (report.acceptable() && !(anchors.empty() && report.roots.empty()))
        attempt(report, [&] { verifyChain(report.chain, anchors.empty() ? report.roots : anchors, now); });
    return report;
}

UploadReport inspectUpload(const UploadFiles& files, const std::vector<Identifier>& names, TimePoint now,
                           const std::vector<X509Ptr>& anchors) {
    UploadParts parts;
    UploadReport unread;
    if (!attempt(unread, [&] { parts = readUpload(files); })) return unread;
    UploadReport report = inspectChain(std::move(parts.certificates), names, now, anchors);
    if (!report.chain.empty()) report.key = fittingKey(parts, *report.chain.front(), report.findings);
    return report;
}

}  // namespace certmgr::crypto
