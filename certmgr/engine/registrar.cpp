#include "certmgr/engine/registrar.h"

#include <algorithm>

#include "certmgr/crypto/csr.h"
#include "certmgr/crypto/pkcs12_build.h"

namespace certmgr::engine {
namespace {

// A key that was made for somebody else goes whatever happens; what cannot be destroyed now goes at the next
// start.
class PassingKey {
  public:
    PassingKey(KeyRing& keys, const hal::KeyRequest& request) : keys_(keys), info_(keys.obtain(request)) {}
    ~PassingKey() {
        try {
            keys_.discard(info_.id);
        } catch (const Error&) {
            // KeyRing::sweep() finds it.
        }
    }
    PassingKey(const PassingKey&) = delete;
    PassingKey& operator=(const PassingKey&) = delete;

    const hal::KeyInfo& info() const { return info_; }
    crypto::SecretText release() {
        std::string pem = keys_.store().release(info_.id);
        crypto::SecretText secret(pem.size());
        secret.append(pem);
        OPENSSL_cleanse(pem.data(), pem.size());
        return secret;
    }

  private:
    KeyRing& keys_;
    hal::KeyInfo info_;
};

// RFC 6125 6.4.4 and RFC 9525: a server is known by its subjectAltName alone.
void requireNames(const authority::EndEntityRequest& request) {
    if (request.commonName.empty() && request.names.empty())
        throw Error(ErrorKind::rejected, "bad-name",
                    "there is no name; expected a common name, or one of DNS, IP, e-mail or URI");
    const bool host = std::any_of(request.names.begin(), request.names.end(), [](const AlternativeName& one) {
        return one.type == AlternativeName::Type::dns || one.type == AlternativeName::Type::ip;
    });
    if (request.purpose == Purpose::server && !host)
        throw Error(ErrorKind::rejected, "bad-name",
                    "a server certificate needs a DNS name or an IP address; give one");
}

}  // namespace

Registrar::Delivery Registrar::record(const authority::EndEntityRequest& request,
                                      std::span<const std::uint8_t> subjectPublicKeyInfoDer) {
    requireNames(request);
    const TimePoint now = clock_.now();
    auto [leaf, issuerId] = ca_.sign(request, subjectPublicKeyInfoDer, now, clock_.trust().trusted);
    const std::string certificatePem = crypto::toPem(*crypto::parseLeafPem(leaf.chainPem));
    records_.issued.add(
        {0, issuerId, request.purpose, request.names, certificatePem, leaf.summary, now, std::nullopt});
    log_.write({Severity::notice,
                event_id::certificateIssued,
                std::string(toString(request.purpose)) + " certificate for " + leaf.summary.subject +
                    " issued, valid until " + formatTime(leaf.summary.notAfter),
                {{"CERTMGR_SERIAL", leaf.summary.serial}, {"CERTMGR_SHA256", leaf.summary.sha256}}});
    return {leaf.summary.serial, std::move(leaf.chainPem)};
}

Registrar::Delivery Registrar::sign(std::string_view csr, authority::EndEntityRequest wanted) {
    crypto::CsrContents contents = crypto::readCsr(csr);
    if (wanted.commonName.empty() && wanted.names.empty()) wanted.commonName = contents.commonName;
    if (wanted.names.empty()) wanted.names = std::move(contents.names);
    return record(wanted, contents.publicKey);
}

Registrar::Bundle Registrar::issue(const authority::EndEntityRequest& wanted, hal::KeyAlgorithm algorithm,
                                   Format format, std::string_view passphrase) {
    if (format == Format::pkcs12 && passphrase.empty())
        throw Error(ErrorKind::rejected, "no-passphrase",
                    "PKCS#12 without a passphrase would hand the key to whoever sees the file; give one");
    requireNames(wanted);
    const KeyId id = KeyId::fresh();
    records_.keys.intend(id, "delivered:" + wanted.commonName);
    PassingKey key(keys_, {id, algorithm, hal::KeyPolicy::file, {}, "certificate for another machine"});
    Delivery delivery = record(wanted, key.info().publicKey);
    const crypto::SecretText secret = key.release();
    if (format == Format::pkcs12)
        return {delivery.serial, crypto::buildPkcs12(secret.view(), crypto::parseChainPem(delivery.chainPem),
                                                     wanted.commonName, passphrase)};
    crypto::SecretText pem(secret.view().size() + delivery.chainPem.size());
    pem.append(secret.view());
    pem.append(delivery.chainPem);
    return {delivery.serial, std::move(pem)};
}

void Registrar::revoke(const std::string& serial, RevocationReason reason) {
    const std::optional<IssuedCertificate> known = records_.issued.find(serial);
    if (!known)
        throw Error(ErrorKind::rejected, "issued-not-found",
                    "no certificate with the serial number " + serial +
                        " was issued here; see certmgrctl authority list");
    if (known->revocation)
        throw Error(ErrorKind::rejected, "already-revoked",
                    "the certificate of " + known->summary.subject + " was revoked at " +
                        formatTime(known->revocation->when));
    records_.issued.revoke(serial, {clock_.now(), reason});
    log_.write(
        {Severity::notice,
         event_id::certificateRevoked,
         "the certificate of " + known->summary.subject + " is revoked: " + std::string(toString(reason)),
         {{"CERTMGR_SERIAL", serial}}});
}

}  // namespace certmgr::engine
