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

// A key that will not come back.
bool isLost(const Error& error) {
    return error.code() == "key-not-found" || error.code() == "key-damaged";
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
    crossSigned_.clear();
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
    ensureLocked(now, clockTrusted);
    return issuing_->id;
}

void LocalCa::ensureLocked(TimePoint now, bool clockTrusted) {
    load();
    if (!usable(root_, now, clockTrusted)) root_ = make(settings_, AuthorityRole::root, nullptr, now);
    crossSignRoots(now);
    const bool belowAnotherRoot = issuing_ && !issuing_->foreign() && issuing_->parent != root_->id;
    if (usable(issuing_, now, clockTrusted) && !belowAnotherRoot) return;
    issuing_ = make(settings_, AuthorityRole::issuing, &*root_, now);
    signer_.reset();
}

std::string LocalCa::issuingId() {
    const std::lock_guard lock(mutex_);
    load();
    return issuing_ ? issuing_->id : "";
}

std::string LocalCa::rootId() {
    const std::lock_guard lock(mutex_);
    load();
    return root_ ? root_->id : "";
}

TimePoint LocalCa::dueAt() {
    const std::lock_guard lock(mutex_);
    load();
    if (!root_ || !issuing_) return {};
    return std::min(replaceAt(*root_), replaceAt(*issuing_));
}

AuthorityRecord LocalCa::make(const authority::AuthoritySettings& settings, AuthorityRole role,
                              const AuthorityRecord* root, TimePoint now) {
    const std::string id = records_.authorities.nextId(role);
    const KeyId key = keys_.intend("authority:" + id);
    AuthorityRecord record = role == AuthorityRole::root
                                 ? authority::makeRoot(keys_.store(), settings, id, key, now)
                                 : authority::makeIssuing(keys_.store(), settings, id, key, *root, now);
    store(record);
    return record;
}

void LocalCa::store(const AuthorityRecord& record) {
    const std::optional<hal::KeyInfo> info = keys_.store().find(record.key);
    records_.database.transaction([&] {
        if (info) records_.keys.made(*info);
        records_.authorities.add(record);
    });
    log_.write({Severity::notice,
                event_id::authorityMade,
                "the " + std::string(toString(record.role)) + " CA in force is " + record.summary.subject,
                {{"CERTMGR_AUTHORITY", record.id}, {"CERTMGR_SHA256", record.summary.sha256}}});
}

// A crash between the root and this is made good at the next ensure(). A root whose key is gone (restored on
// other hardware, say) cannot vouch for anything; what is below the new one does not wait for it.
void LocalCa::crossSignRoots(TimePoint now) {
    if (crossSigned_ == root_->id) return;
    const std::vector<CrossCertificate> known = records_.authorities.crossCertificates();
    const auto missing = [&](const AuthorityRecord& subject, const AuthorityRecord& issuer) {
        return std::none_of(known.begin(), known.end(), [&](const CrossCertificate& cross) {
            return cross.subject == subject.id && cross.issuer == issuer.id;
        });
    };
    bool complete = true;
    for (const AuthorityRecord& before : records_.authorities.list()) {
        if (before.role != AuthorityRole::root || before.id == root_->id || before.summary.notAfter <= now ||
            before.summary.notBefore > now)
            continue;
        try {
            if (missing(*root_, before))
                records_.authorities.addCross(authority::crossSign(keys_.store(), *root_, before, now));
            if (missing(before, *root_))
                records_.authorities.addCross(authority::crossSign(keys_.store(), before, *root_, now));
        } catch (const Error& error) {
            if (!isLost(error) &&
                (error.kind() == ErrorKind::transient || error.kind() == ErrorKind::internal))
                throw;
            complete = complete && isLost(error);
            log_.write({Severity::warning,
                        event_id::authorityMade,
                        before.id + " and " + root_->id + " cannot sign each other: " + error.what(),
                        {{"CERTMGR_AUTHORITY", root_->id}}});
        }
    }
    if (complete) crossSigned_ = root_->id;
}

LocalCa::UpperChain LocalCa::upperChainOf(const AuthorityRecord& issuing, TimePoint now) {
    if (issuing.foreign()) {
        std::vector<crypto::X509Ptr> upper;
        if (!issuing.upperChainPem.empty()) upper = crypto::parseChainPem(issuing.upperChainPem);
        if (!upper.empty()) upper.pop_back();  // the root is the clients' own
        return {crypto::toPem(upper)};
    }
    return crossChainOf(issuing.parent, now);
}

// For clients that trust only a root before the one in force: from each root to the one before it. One way
// only, since OpenSSL takes the first issuer that fits and does not turn back.
LocalCa::UpperChain LocalCa::crossChainOf(std::string root, TimePoint now) {
    UpperChain chain;
    const std::vector<CrossCertificate> known = records_.authorities.crossCertificates();
    for (const AuthorityRecord& before : records_.authorities.list()) {
        const auto cross = std::find_if(known.begin(), known.end(), [&](const CrossCertificate& one) {
            return one.subject == root && one.issuer == before.id && one.notAfter > now;
        });
        if (cross == known.end()) continue;
        chain.pem += cross->certificatePem;
        chain.until = std::min(chain.until, cross->notAfter);
        root = before.id;
    }
    return chain;
}

template <class Request>
LocalCa::Signed LocalCa::signWith(const Request& request,
                                  std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now,
                                  bool clockTrusted) {
    std::shared_ptr<const authority::LeafSigner> signer;
    std::string issuer;
    {
        const std::lock_guard lock(mutex_);
        ensureLocked(now, clockTrusted);
        if (!signer_ || signerUntil_ < now) {
            const UpperChain upper = upperChainOf(*issuing_, now);
            signer_ = std::make_shared<authority::LeafSigner>(keys_.store(), *issuing_,
                                                              settings_.leafLifetime, upper.pem);
            signerUntil_ = upper.until;
        }
        signer = signer_;
        issuer = issuing_->id;
    }
    try {
        return {signer->sign(request, subjectPublicKeyInfoDer, now), issuer};
    } catch (const Error&) {
        // Its key may have gone while we ran: the next call looks again at what there is.
        const std::lock_guard lock(mutex_);
        forget();
        throw;
    }
}

LocalCa::Signed LocalCa::sign(const std::vector<Identifier>& names,
                              std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now,
                              bool clockTrusted) {
    return signWith(names, subjectPublicKeyInfoDer, now, clockTrusted);
}

LocalCa::Signed LocalCa::sign(const authority::EndEntityRequest& request,
                              std::span<const std::uint8_t> subjectPublicKeyInfoDer, TimePoint now,
                              bool clockTrusted) {
    return signWith(request, subjectPublicKeyInfoDer, now, clockTrusted);
}

LocalCa::Signed LocalCa::signInspectionCa(std::span<const std::uint8_t> subjectPublicKeyInfoDer,
                                          TimePoint now, bool clockTrusted) {
    const std::lock_guard lock(mutex_);
    ensureLocked(now, clockTrusted);
    try {
        return {authority::signInspectionCa(keys_.store(), settings_, *root_,
                                            crossChainOf(root_->id, now).pem, subjectPublicKeyInfoDer, now),
                root_->id};
    } catch (const Error&) {
        forget();  // as in signWith()
        throw;
    }
}

}  // namespace certmgr::engine
