#include <algorithm>

#include "certmgr/crypto/names.h"
#include "certmgr/crypto/openssl.h"
#include "certmgr/crypto/pem.h"
#include "certmgr/crypto/profile.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::crypto {
namespace {

void dropRepetitions(std::vector<X509Ptr>& certificates) {
    for (auto one = certificates.begin(); one != certificates.end(); ++one)
        certificates.erase(
            std::remove_if(std::next(one), certificates.end(),
                           [&](const X509Ptr& other) { return X509_cmp(one->get(), other.get()) == 0; }),
            certificates.end());
}

// The only certificate that signed no other; where several did not, the only one of them that is no CA.
std::vector<X509Ptr>::iterator findLeaf(std::vector<X509Ptr>& certificates) {
    const auto isLeaf = [&](const X509Ptr& candidate, bool caToo) {
        return (caToo || !mayIssue(*candidate)) && (!selfSigned(*candidate) || !mayIssue(*candidate)) &&
               std::none_of(certificates.begin(), certificates.end(), [&](const X509Ptr& other) {
                   return other != candidate && issued(*candidate, *other);
               });
    };
    for (const bool caToo : {false, true}) {
        const auto first = std::find_if(certificates.begin(), certificates.end(),
                                        [&](const X509Ptr& one) { return isLeaf(one, caToo); });
        if (first == certificates.end()) continue;
        const auto second = std::find_if(std::next(first), certificates.end(),
                                         [&](const X509Ptr& one) { return isLeaf(one, caToo); });
        if (second == certificates.end()) return first;
        throw Error(
            ErrorKind::rejected, "chain-unrelated",
            subjectOf(**first) + " and " + subjectOf(**second) +
                " are both leaves: expected one leaf and the CAs above it, give each leaf in its own file");
    }
    throw Error(ErrorKind::rejected, "chain-incomplete",
                "there is no leaf: " + subjectOf(*certificates.front()) +
                    " is a CA that signs the others or itself; expected the server's certificate too");
}

[[noreturn]] void throwLeftOver(const X509& top, const X509& leftOver) {
    if (!selfSigned(top) && mayIssue(leftOver))
        throw Error(ErrorKind::rejected, "chain-incomplete",
                    "\"" + rfc4514(*X509_get_issuer_name(&top)) + "\", which issued " + subjectOf(top) +
                        ", is missing, while " + subjectOf(leftOver) +
                        " is there and issued nothing in the chain: add the one that is missing");
    throw Error(ErrorKind::rejected, "chain-unrelated",
                subjectOf(leftOver) + " does not belong to the chain of the leaf: leave it out");
}

void requireNoLeftOver(const std::vector<X509Ptr>& chain, const std::vector<X509Ptr>& rest) {
    for (const X509Ptr& other : rest) {
        const bool usedRoot =
            selfSigned(*other) && std::any_of(chain.begin(), chain.end(),
                                              [&](const X509Ptr& member) { return issued(*other, *member); });
        if (!usedRoot) throwLeftOver(*chain.back(), *other);
    }
}

BorrowedCertificates borrow(const std::vector<X509Ptr>& certificates) {
    BorrowedCertificates stack(check(sk_X509_new_null(), "sk_X509_new_null"));
    for (const X509Ptr& certificate : certificates)
        check(sk_X509_push(stack.get(), certificate.get()), "sk_X509_push");
    return stack;
}

hal::X509StorePtr storeOf(const std::vector<X509Ptr>& anchors) {
    hal::X509StorePtr store(check(X509_STORE_new(), "X509_STORE_new"));
    for (const X509Ptr& anchor : anchors)
        check(X509_STORE_add_cert(store.get(), anchor.get()), "X509_STORE_add_cert");
    return store;
}

void setRules(X509_STORE_CTX* context) {
    X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context);
    check(X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER), "X509_VERIFY_PARAM_set_purpose");
    // RFC 5280 6.1.1 (d): a trust anchor is a name and a key; it need not be self-signed.
    check(X509_VERIFY_PARAM_set_flags(
              rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME),
          "X509_VERIFY_PARAM_set_flags");
    X509_VERIFY_PARAM_set_auth_level(rules, 2);
}

// RFC 5280 6.1.1 (d) takes of an anchor its name and its key alone, and old roots have no keyUsage.
int excuseAnchor(int valid, X509_STORE_CTX* context) {
    if (X509_STORE_CTX_get_error(context) != X509_V_ERR_CA_CERT_MISSING_KEY_USAGE) return valid;
    const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context);
    return X509_STORE_CTX_get_error_depth(context) == sk_X509_num(path) - 1 ? 1 : valid;
}

[[noreturn]] void throwInvalid(const X509* certificate, const std::string& reason) {
    throw Error(
        ErrorKind::rejected, "chain-invalid",
        (certificate ? subjectOf(*certificate) : std::string("the chain")) + " is refused: " + reason);
}

// OpenSSL holds a certificate to be expired in the second of its notAfter, which RFC 5280 4.1.2.5 counts in.
void requireSound(const X509& certificate, Position position, TimePoint now) {
    std::vector<Finding> findings = checkValidity(certificate, now);
    if (findings.empty()) findings = checkProfile(certificate, position);
    if (!findings.empty()) throwInvalid(&certificate, findings.front().message);
}

}  // namespace

std::vector<X509Ptr> orderChain(std::vector<X509Ptr> certificates) {
    if (certificates.empty()) throw Error(ErrorKind::rejected, "chain-incomplete", "there is no certificate");
    if (certificates.size() > maximumCertificates)
        throw Error(ErrorKind::rejected, "too-large",
                    "there are more than 20 certificates: give the leaf and its chain alone");
    dropRepetitions(certificates);
    std::vector<X509Ptr> chain;
    for (auto next = findLeaf(certificates); next != certificates.end();) {
        chain.push_back(std::move(*next));
        certificates.erase(next);
        next = std::find_if(certificates.begin(), certificates.end(), [&](const X509Ptr& candidate) {
            return !selfSigned(*candidate) && issued(*candidate, *chain.back());
        });
    }
    requireNoLeftOver(chain, certificates);
    return chain;
}

void verifyChain(const std::vector<X509Ptr>& chain, const std::vector<X509Ptr>& anchors, TimePoint now) {
    if (chain.empty())
        throw Error(ErrorKind::rejected, "chain-invalid", "there is no certificate in the chain");
    if (chain.size() > maximumCertificates)
        throw Error(ErrorKind::rejected, "chain-invalid", "the chain has more than 20 certificates");
    const hal::X509StorePtr store = storeOf(anchors);
    const BorrowedCertificates intermediates = borrow(chain);
    const hal::X509StoreContext context(check(X509_STORE_CTX_new(), "X509_STORE_CTX_new"));
    check(X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), intermediates.get()),
          "X509_STORE_CTX_init");
    setRules(context.get());
    X509_STORE_CTX_set_verify_cb(context.get(), excuseAnchor);
    if (X509_verify_cert(context.get()) != 1) {
        const X509* at = X509_STORE_CTX_get_current_cert(context.get());
        const int reason = X509_STORE_CTX_get_error(context.get());
        ERR_clear_error();
        throwInvalid(at, X509_verify_cert_error_string(reason));
    }
    const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context.get());
    for (int i = 0; i < sk_X509_num(path); ++i) {
        const bool last = i + 1 == sk_X509_num(path);
        requireSound(*sk_X509_value(path, i),
                     i == 0 ? Position::leaf
                     : last ? Position::anchor
                            : Position::intermediate,
                     now);
        if (const std::string name = excludedWildcard(*sk_X509_value(path, i), *chain.front()); !name.empty())
            throwInvalid(chain.front().get(), name + " may stand for a name that " +
                                                  subjectOf(*sk_X509_value(path, i)) + " excludes");
    }
}

}  // namespace certmgr::crypto
