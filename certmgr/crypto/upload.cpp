#include "certmgr/crypto/upload.h"

#include <algorithm>

#include <openssl/pem.h>

#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/pem.h"

namespace certmgr::crypto {
namespace {

void add(UploadReport& report, std::string code, std::string message) {
    report.findings.push_back({std::move(code), std::move(message)});
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

std::string textOf(const std::vector<Identifier>& names) {
    std::string text;
    for (const Identifier& name : names) text += (text.empty() ? "" : ", ") + name.value;
    return text.empty() ? "no name" : text;
}

void checkMember(const X509& certificate, Position position, TimePoint now, UploadReport& report) {
    const auto take = [&](std::vector<Finding> findings) {
        for (Finding& finding : findings)
            add(report, std::move(finding.code), subjectOf(certificate) + ": " + finding.message);
    };
    attempt(report, [&] { take(checkValidity(certificate, now)); });
    take(checkProfile(certificate, position));
}

void checkNames(const std::vector<Identifier>& names, UploadReport& report) {
    std::vector<Identifier> missing;
    for (const Identifier& name : names)
        if (!coversAll(report.leaf->names, {name})) missing.push_back(name);
    if (!missing.empty())
        add(report, "names-not-covered",
            "the leaf is for " + textOf(report.leaf->names) + " and does not cover " + textOf(missing) +
                ": expected a certificate with these names");
}

// What certmgr-keyd takes in (hal/key_store.h, import); a weak key is refused for being weak.
std::string whyNotKept(const EVP_PKEY& key) {
    const int bits = EVP_PKEY_get_bits(&key);
    if (EVP_PKEY_is_a(&key, "RSA"))
        return bits < 2048 || bits == 2048 || bits == 3072 || bits == 4096
                   ? ""
                   : "RSA of " + std::to_string(bits) + " bits";
    if (EVP_PKEY_is_a(&key, "EC")) return bits <= 384 ? "" : "EC of " + std::to_string(bits) + " bits";
    return EVP_PKEY_is_a(&key, "ED25519") ? "" : EVP_PKEY_get0_type_name(&key);
}

void checkKeyIsKept(UploadReport& report) {
    const X509& leaf = *report.chain.front();
    if (const std::string found = whyNotKept(*X509_get0_pubkey(&leaf)); !found.empty())
        add(report, "key-not-supported",
            subjectOf(leaf) + ": its key is " + found +
                ", which the key store of this box does not take: expected RSA of 2048, 3072 or 4096 bits, "
                "P-256, P-384 or Ed25519; have a certificate issued for such a key");
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
        check(X509_up_ref(certificate.get()), "X509_up_ref");
        all.emplace_back(certificate.get());
        if (mayIssue(*certificate) && selfSigned(*certificate)) {
            check(X509_up_ref(certificate.get()), "X509_up_ref");
            report.roots.emplace_back(certificate.get());
        }
    }
    if (attempt(report, [&] { report.chain = orderChain(std::move(certificates)); })) return;
    for (const X509Ptr& certificate : all)  // no order, but each can still be judged by itself
        checkMember(*certificate,
                    !mayIssue(*certificate)    ? Position::leaf
                    : selfSigned(*certificate) ? Position::anchor
                                               : Position::intermediate,
                    now, report);
}

std::size_t countKeys(const std::vector<PemBlock>& blocks) {
    return static_cast<std::size_t>(std::count_if(blocks.begin(), blocks.end(),
                                                  [](const PemBlock& block) { return block.privateKey(); }));
}

struct SecureDer {
    unsigned char* data = nullptr;
    long size = 0;
    SecureDer() = default;
    SecureDer(const SecureDer&) = delete;
    SecureDer& operator=(const SecureDer&) = delete;
    ~SecureDer() { OPENSSL_secure_clear_free(data, static_cast<std::size_t>(size)); }
};

const PemBlock& onlyKey(const std::vector<PemBlock>& blocks) {
    const std::size_t count = countKeys(blocks);
    if (count == 0)
        throw Error(ErrorKind::rejected, "no-key",
                    "there is no private key in the text: expected one PEM block \"PRIVATE KEY\"");
    if (count > 1)
        throw Error(
            ErrorKind::rejected, "two-keys",
            "there are " + std::to_string(count) + " private keys in the text: expected the leaf's alone");
    const PemBlock& block =
        *std::find_if(blocks.begin(), blocks.end(), [](const PemBlock& one) { return one.privateKey(); });
    if (block.label == "ENCRYPTED PRIVATE KEY" ||
        block.text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos)
        throw Error(ErrorKind::rejected, "encrypted-key",
                    "the private key is encrypted, which is not supported yet: decrypt it first (openssl "
                    "pkey -in FILE)");
    return block;
}

int noPassphrase(char*, int, int, void*) {
    return -1;
}

}  // namespace

UploadReport inspectUpload(std::string_view pem, const std::vector<Identifier>& names, TimePoint now,
                           const std::vector<X509Ptr>& anchors) {
    UploadReport report;
    std::vector<X509Ptr> certificates;
    if (!attempt(report, [&] {
            report.privateKeys = countKeys(pemBlocks(pem));
            certificates = parseChainPem(pem);
        }))
        return report;
    sortOut(std::move(certificates), now, report);
    if (report.chain.empty()) return report;
    attempt(report, [&] { report.leaf = summarize(*report.chain.front()); });
    checkWhole(anchors, report);
    checkKeyIsKept(report);
    for (const X509Ptr& certificate : report.chain)
        checkMember(*certificate,
                    certificate == report.chain.front() ? Position::leaf : Position::intermediate, now,
                    report);
    for (const X509Ptr& root : report.roots) checkMember(*root, Position::anchor, now, report);
    if (report.leaf) checkNames(names, report);
    // What OpenSSL adds (constraints of the path, trust) is asked only of a chain that is sound by itself.
    if (report.acceptable() && !(anchors.empty() && report.roots.empty()))
        attempt(report, [&] { verifyChain(report.chain, anchors.empty() ? report.roots : anchors, now); });
    return report;
}

bool keyPemMatches(std::string_view pem, const X509& leaf) {
    const std::vector<PemBlock> blocks = pemBlocks(pem);
    const std::string_view text = onlyKey(blocks).text;
    const hal::Bio bio(check(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "BIO_new_mem_buf"));
    SecureDer der;
    hal::Pkey key;
    if (PEM_bytes_read_bio_secmem(&der.data, &der.size, nullptr, PEM_STRING_EVP_PKEY, bio.get(), noPassphrase,
                                  nullptr) == 1) {
        const unsigned char* end = der.data;
        key.reset(d2i_AutoPrivateKey(nullptr, &end, der.size));
    }
    if (!key)
        throw Error(ErrorKind::rejected, "bad-key",
                    "the private key does not parse (" + takeReason() +
                        "): expected PKCS#8, or a traditional RSA or EC key");
    const bool matches = EVP_PKEY_eq(X509_get0_pubkey(&leaf), key.get()) == 1;
    ERR_clear_error();
    return matches;
}

}  // namespace certmgr::crypto
