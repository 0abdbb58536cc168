#include "certmgr/authority/admission.h"

#include <algorithm>
#include <string>

#include "certmgr/crypto/profile.h"

namespace certmgr::authority {
namespace {

using crypto::Position;
using crypto::X509Ptr;

[[noreturn]] void refuse(const std::string& lines) {
    throw Error(ErrorKind::rejected, "authority-refused", "the CA is refused" + lines);
}

bool issuedBy(const X509& certificate, const X509& issuer) {
    return X509_NAME_cmp(X509_get_subject_name(&issuer), X509_get_issuer_name(&certificate)) == 0 &&
           X509_verify(const_cast<X509*>(&certificate), X509_get0_pubkey(&issuer)) == 1;
}

// Takes the issuer of the last one out of `rest` for as long as there is one.
std::vector<X509Ptr> chainAbove(const X509& certificate, std::vector<X509Ptr> rest) {
    std::vector<X509Ptr> chain;
    const X509* last = &certificate;
    while (!issuedBy(*last, *last)) {
        const auto issuer =
            std::find_if(rest.begin(), rest.end(), [&](const X509Ptr& one) { return issuedBy(*last, *one); });
        if (issuer == rest.end())
            refuse("\n- \"" + crypto::summarize(*last).issuer + "\", which issued \"" +
                   crypto::summarize(*last).subject +
                   "\", is missing: add the CAs above it, up to and with the root");
        chain.push_back(std::move(*issuer));
        rest.erase(issuer);
        last = chain.back().get();
    }
    return chain;
}

void collect(const X509& certificate, Position position, TimePoint now, std::string& lines) {
    std::vector<crypto::Finding> findings = crypto::checkProfile(certificate, position);
    const std::vector<crypto::Finding> times = crypto::checkValidity(certificate, now);
    findings.insert(findings.end(), times.begin(), times.end());
    for (const crypto::Finding& finding : findings)
        lines += "\n- " + crypto::summarize(certificate).subject + ": " + finding.message;
}

// RFC 5280 4.2.1.9: how many CAs may stand below it, the leaf not counted.
void checkPathLengths(const AdmittedCa& ca, std::string& lines) {
    long below = ca.selfSigned ? 1 : 0;
    const auto check = [&](const X509Ptr& one) {
        const long most = X509_get_pathlen(one.get());
        if (most >= 0 && most < below)
            lines += "\n- " + crypto::summarize(*one).subject + ": its path length of " +
                     std::to_string(most) + " leaves no room for the CAs below it; expected at least " +
                     std::to_string(below);
        ++below;
    };
    check(ca.certificate);
    for (const X509Ptr& one : ca.upper) check(one);
}

}  // namespace

AdmittedCa admitCa(std::string_view pem, std::span<const std::uint8_t> publicKey, TimePoint now) {
    std::vector<X509Ptr> certificates = crypto::parseChainPem(pem);
    const auto own = std::find_if(certificates.begin(), certificates.end(),
                                  [&](const X509Ptr& one) { return crypto::keyMatches(*one, publicKey); });
    if (own == certificates.end())
        throw Error(ErrorKind::rejected, "key-mismatch",
                    "the CA is refused: the key belongs to none of the certificates; expected the "
                    "certificate that was made for it");
    AdmittedCa ca{.certificate = std::move(*own), .upper = {}};
    certificates.erase(own);
    ca.selfSigned = issuedBy(*ca.certificate, *ca.certificate);
    ca.upper = chainAbove(*ca.certificate, std::move(certificates));
    std::string lines;
    collect(*ca.certificate, Position::intermediate, now, lines);
    for (const X509Ptr& one : ca.upper)
        collect(*one, one == ca.upper.back() ? Position::anchor : Position::intermediate, now, lines);
    checkPathLengths(ca, lines);
    if (!lines.empty()) refuse(lines);
    return ca;
}

}  // namespace certmgr::authority
