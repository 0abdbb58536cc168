// Values for the store's tests.
#pragma once

#include "certmgr/store/repositories.h"

namespace certmgr::store {

constexpr TimePoint sampleTime{seconds{1'800'000'037}};

inline KeyId sampleKey(char digit) {
    return *KeyId::parse(std::string(32, digit));
}

inline CertificateSpec sampleSpec(const std::string& name) {
    CertificateSpec spec;
    spec.names = parseIdentifiers({name, "10.0.0.1", "2001:db8::1"});
    spec.id = name;
    spec.keyAlgorithm = hal::KeyAlgorithm::rsa3072;
    spec.keyPolicy = hal::KeyPolicy::sealed;
    spec.acmeProfile = {"shortlived", true};
    spec.preferredChain = "ISRG Root X1";
    spec.users = {"www-data", "mail"};
    return spec;
}

inline CertificateSummary sampleSummary() {
    CertificateSummary summary;
    summary.names = parseIdentifiers({"gw.example", "*.gw.example", "2001:db8::1"});
    summary.subject = "CN=gw.example";
    summary.issuer = "CN=Root, O=\"quoted; 'x'\"";
    summary.serial = "0badcafe";
    summary.sha256 = std::string(64, 'f');
    summary.notBefore = sampleTime;
    summary.notAfter = sampleTime + std::chrono::hours(24 * 90);
    return summary;
}

inline Credential sampleCredential(const CertificateId& certificate, const KeyId& key) {
    Credential credential;
    credential.certificate = certificate;
    credential.source = Source::acme;
    credential.key = key;
    credential.chainPem = "-----BEGIN CERTIFICATE-----\n";
    credential.leaf = sampleSummary();
    credential.issuerId = "letsencrypt";
    credential.acmeProfile = "classic";
    credential.acmeProfileReason = "the CA has no other";
    credential.chainReason = "the first chain of the CA";
    return credential;
}

inline OrderRow sampleOrder(const CertificateId& certificate, const KeyId& key) {
    OrderRow order;
    order.certificate = certificate;
    order.ca = "ca";
    order.directory = "https://ca/dir";
    order.key = key;
    order.intended = sampleTime;
    order.profile = "shortlived, required";
    return order;
}

template <class Work>
std::string errorCode(Work&& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.code();
    }
    return "none";
}

}  // namespace certmgr::store
