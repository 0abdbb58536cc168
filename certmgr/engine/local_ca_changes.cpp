// What an administrator does to the box's own CA.
#include "certmgr/authority/admission.h"
#include "certmgr/engine/local_ca.h"

namespace certmgr::engine {

void LocalCa::generate(const crypto::DistinguishedName& subject, seconds lifetime, TimePoint now,
                       bool clockTrusted) {
    const std::lock_guard lock(mutex_);
    load();
    authority::AuthoritySettings settings = settings_;
    settings.rootSubject = subject;
    settings.rootLifetime = lifetime;
    root_ = make(settings, AuthorityRole::root, nullptr, now);
    issuing_.reset();
    ensureLocked(now, clockTrusted);
}

void LocalCa::import(std::string_view pem, TimePoint now, bool clockTrusted) {
    const std::lock_guard lock(mutex_);
    load();
    const KeyId key = keys_.intend("authority:import");
    try {
        records_.keys.made(
            keys_.store().import({key, {}, hal::KeyPolicy::preferTpm, {}, "imported CA"}, pem));
        takeForeign(key, pem, now, clockTrusted);
    } catch (const Error&) {
        keys_.discard(key);
        throw;
    }
}

std::string LocalCa::request() {
    const std::lock_guard lock(mutex_);
    std::optional<KeyId> key = records_.authorities.requested();
    if (!key) {
        key = keys_.intend("authority:request");
        records_.authorities.request(*key);
    }
    return authority::requestForIssuing(keys_.store(), settings_, *key);
}

void LocalCa::install(std::string_view chainPem, TimePoint now, bool clockTrusted) {
    const std::lock_guard lock(mutex_);
    load();
    const std::optional<KeyId> key = records_.authorities.requested();
    if (!key)
        throw Error(ErrorKind::rejected, "nothing-requested",
                    "no request waits for a certificate; make one first (certmgrctl authority csr)");
    takeForeign(*key, chainPem, now, clockTrusted);
}

// RFC 5280 5.2.3: the CRL number is "a monotonically increasing sequence number for a given CRL scope and CRL
// issuer". Two records of one CA would fill and number two lists, and a verifier takes either.
void LocalCa::requireOwnKey(const hal::Bytes& publicKey) {
    for (const AuthorityRecord& known : records_.authorities.list())
        if (crypto::keyMatches(known.certificatePem, publicKey))
            throw Error(ErrorKind::rejected, "authority-known",
                        "the CA is refused: its key is that of " + known.id + ", " + known.summary.subject +
                            ", which is here already; expected a CA with a key of its own");
}

void LocalCa::takeForeign(const KeyId& key, std::string_view pem, TimePoint now, bool clockTrusted) {
    const std::optional<hal::KeyInfo> info = keys_.store().find(key);
    if (!info)
        throw Error(ErrorKind::misconfigured, "key-not-found",
                    "the key of the CA is no longer in the key store: make a new request");
    const authority::AdmittedCa ca = authority::admitCa(pem, info->publicKey, now);
    requireOwnKey(info->publicKey);
    const AuthorityRole role = ca.selfSigned ? AuthorityRole::root : AuthorityRole::issuing;
    const AuthorityRecord record{.id = records_.authorities.nextId(role),
                                 .role = role,
                                 .key = key,
                                 .certificatePem = crypto::toPem(*ca.certificate),
                                 .parent = {},
                                 .summary = crypto::summarize(*ca.certificate),
                                 .upperChainPem = crypto::toPem(ca.upper)};
    if (replaceAt(record) <= now)
        throw Error(ErrorKind::rejected, "authority-refused",
                    "the CA is refused: it ends at " + formatTime(record.summary.notAfter) +
                        ", too soon for what it would sign; expected one that lasts longer");
    store(record);
    if (role == AuthorityRole::root) {
        root_ = record;
        issuing_.reset();
    } else {
        issuing_ = record;
    }
    signer_.reset();
    ensureLocked(now, clockTrusted);
}

}  // namespace certmgr::engine
