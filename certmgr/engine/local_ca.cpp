#include "certmgr/engine/local_ca.h"

#include <algorithm>

namespace certmgr::engine {
namespace {

// features.md 5: a new root is there about six months before the old one ends. Short-lived authorities
// (tests, labs) are replaced with a third of their life left.
seconds overlap(AuthorityRole role, const CertificateSummary& summary, seconds leafLifetime) {
    const seconds lifetime = summary.notAfter - summary.notBefore;
    const seconds wanted = role == AuthorityRole::root ? std::chrono::hours(24 * 183) : leafLifetime;
    return std::min(wanted, lifetime / 3);
}

}  // namespace

TimePoint LocalCa::replaceAt(const AuthorityRecord& record) const {
    return record.summary.notAfter - overlap(record.role, record.summary, settings_.leafLifetime);
}

void LocalCa::load() {
    if (root_) return;
    std::optional<AuthorityRecord> issuing = newestWithKey(AuthorityRole::issuing);
    root_ = newestWithKey(AuthorityRole::root);
    issuing_ = std::move(issuing);
}

void LocalCa::forget() {
    root_.reset();
    issuing_.reset();
    signer_.reset();
}

std::optional<AuthorityRecord> LocalCa::newestWithKey(AuthorityRole role) {
    std::optional<AuthorityRecord> record = records_.authorities.newest(role);
    if (!record || keys_.store().find(record->key)) return record;
    log_.write(
        {Severity::error,
         event_id::authorityMade,
         "the key of " + record->summary.subject +
             " is no longer in the key store (a cleared TPM, a lost directory): another CA takes its place",
         {{"CERTMGR_AUTHORITY", record->id}}});
    return std::nullopt;
}

bool LocalCa::usable(const std::optional<AuthorityRecord>& record, TimePoint now, bool clockTrusted) const {
    if (!record) return false;
    return !clockTrusted || (record->summary.notBefore <= now && now < replaceAt(*record));
}

std::string LocalCa::ensure(TimePoint now, bool clockTrusted) {
    const std::lock_guard lock(mutex_);
    load();
    if (!usable(root_, now, clockTrusted)) root_ = make(AuthorityRole::root, nullptr, now);
    if (!usable(issuing_, now, clockTrusted) || issuing_->parent != root_->id) {
        issuing_ = make(AuthorityRole::issuing, &*root_, now);
        signer_.reset();
    }
    return issuing_->id;
}

std::string LocalCa::issuingId() {
    const std::lock_guard lock(mutex_);
    load();
    return issuing_ ? issuing_->id : "";
}

TimePoint LocalCa::dueAt() {
    const std::lock_guard lock(mutex_);
    load();
    if (!root_ || !issuing_) return {};
    return std::min(replaceAt(*root_), replaceAt(*issuing_));
}

AuthorityRecord LocalCa::make(AuthorityRole role, const AuthorityRecord* root, TimePoint now) {
    const std::string id = records_.authorities.nextId(role);
    const KeyId key = keys_.intend("authority:" + id);
    const AuthorityRecord record =
        role == AuthorityRole::root ? authority::makeRoot(keys_.store(), settings_, id, key, now)
                                    : authority::makeIssuing(keys_.store(), settings_, id, key, *root, now);
    const std::optional<hal::KeyInfo> info = keys_.store().find(key);
    records_.database.transaction([&] {
        if (info) records_.keys.made(*info);
        records_.authorities.add(record);
    });
    log_.write({Severity::notice,
                event_id::authorityMade,
                "made the " + std::string(toString(role)) + " CA " + record.summary.subject,
                {{"CERTMGR_AUTHORITY", id}, {"CERTMGR_SHA256", record.summary.sha256}}});
    return record;
}

LocalCa::Signed LocalCa::sign(const std::vector<Identifier>& names,
                              std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now,
                              bool clockTrusted) {
    ensure(now, clockTrusted);
    std::shared_ptr<const authority::LeafSigner> signer;
    std::string issuer;
    {
        const std::lock_guard lock(mutex_);
        if (!signer_)
            signer_ =
                std::make_shared<authority::LeafSigner>(keys_.store(), *issuing_, settings_.leafLifetime);
        signer = signer_;
        issuer = issuing_->id;
    }
    try {
        return {signer->sign(names, subjectPublicKeyInfoDer, now), issuer};
    } catch (const Error&) {
        // Its key may have gone while we ran: the next call looks again at what there is.
        const std::lock_guard lock(mutex_);
        forget();
        throw;
    }
}

}  // namespace certmgr::engine
