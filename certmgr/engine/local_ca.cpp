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
    root_ = records_.authorities.newest(AuthorityRole::root);
    issuing_ = records_.authorities.newest(AuthorityRole::issuing);
}

std::string LocalCa::ensure(TimePoint now) {
    const std::lock_guard lock(mutex_);
    load();
    if (!root_ || replaceAt(*root_) <= now) root_ = make(AuthorityRole::root, nullptr, now);
    if (!issuing_ || issuing_->parent != root_->id || replaceAt(*issuing_) <= now) {
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
                              std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now) {
    std::shared_ptr<const authority::LeafSigner> signer;
    std::string issuer = ensure(now);
    {
        const std::lock_guard lock(mutex_);
        if (!signer_)
            signer_ =
                std::make_shared<authority::LeafSigner>(keys_.store(), *issuing_, settings_.leafLifetime);
        signer = signer_;
        issuer = issuing_->id;
    }
    return {signer->sign(names, subjectPublicKeyInfoDer, now), issuer};
}

}  // namespace certmgr::engine
