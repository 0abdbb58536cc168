#include "certmgr/core/decision.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "certmgr/core/clock_poll.h"

namespace certmgr {
namespace {

constexpr seconds longestHandOver = std::chrono::hours(1);
constexpr seconds patienceWithCompromise = std::chrono::minutes(10);

bool validAt(const CertificateSummary& leaf, TimePoint now) {
    return leaf.notBefore <= now && now < leaf.notAfter;
}

// From here on, whatever else is under way, another certificate has to take over.
TimePoint handOver(const CertificateSummary& leaf) {
    return std::max(lastStretch(leaf), leaf.notAfter - longestHandOver);
}

bool sameUpload(const Credential& one, const Credential& other) {
    // A leaf that was uploaded again, with a better chain, comes with a key of its own.
    return one.source == other.source && one.leaf.sha256 == other.leaf.sha256 && one.key == other.key;
}

class Decider {
  public:
    Decider(const CertificateFacts& facts, TimePoint now) : facts_(facts), now_(now) {}

    Decision decide() const {
        if (!facts_.clockTrusted) return onUntrustedClock();
        if (facts_.uploaded && uploadWins()) return useUploaded();
        if (const std::string why = whyNothingWorks(); !why.empty()) return issueLocal(why);
        if (const std::string why = whyLocalAtOnce(); !why.empty()) return issueLocal(why);
        if (const std::string why = whyRenew(); !why.empty()) return renew(why);
        return {Action::none, "the certificate of the CA is valid and not yet due for renewal",
                acmeRenewalTime(current().leaf, facts_.renewAt)};
    }

  private:
    const Credential& current() const { return *facts_.current; }
    bool acmePossible() const { return facts_.acmeImpossible.empty(); }
    bool attemptDue() const { return !facts_.acme.nextAttempt || *facts_.acme.nextAttempt <= now_; }
    bool covering(const Credential& credential) const {
        if (facts_.spec.usage == Usage::inspectionCa) return credential.source == Source::local;
        return coversAll(credential.leaf.names, facts_.spec.names);
    }
    bool inLastStretch() const { return now_ >= lastStretch(current().leaf); }
    bool otherKeyWanted() const {
        return facts_.currentKeyPlace != KeyPlace::good ||
               (current().keyAlgorithm && *current().keyAlgorithm != facts_.spec.keyAlgorithm);
    }

    Decision issueLocal(std::string why) const {
        return {Action::issueLocal, std::move(why), std::nullopt,
                facts_.current ? facts_.current->generation : 0};
    }

    Decision onUntrustedClock() const {
        if (facts_.current && covering(current()) && !facts_.currentKeyLost)
            return {Action::none,
                    "the clock is not trusted: the certificate in force stays, whatever its dates say",
                    now_ + untrustedClockPoll};
        if (facts_.uploaded && covering(*facts_.uploaded))
            return {Action::useUploaded,
                    "an uploaded chain covers all names; its dates cannot be judged while the clock is not "
                    "trusted",
                    std::nullopt};
        return issueLocal(
            "there is no certificate for these names, and the service has to be reachable although the "
            "clock is not trusted");
    }

    bool uploadWins() const {
        return covering(*facts_.uploaded) && validAt(facts_.uploaded->leaf, now_) &&
               now_ < handOver(facts_.uploaded->leaf) && !relieved();
    }

    // A CA's certificate that came in the last stretch of the upload is there to stay.
    bool relieved() const {
        return now_ >= lastStretch(facts_.uploaded->leaf) && facts_.current &&
               current().source == Source::acme && covering(current()) &&
               better(current(), *facts_.uploaded, now_);
    }

    Decision useUploaded() const {
        if (!facts_.current || !sameUpload(current(), *facts_.uploaded))
            return {Action::useUploaded,
                    "an uploaded chain covers all names and is valid" +
                        (facts_.uploadedReason.empty() ? "" : "; " + facts_.uploadedReason),
                    std::nullopt};
        const TimePoint end = handOver(current().leaf);
        if (!acmePossible())
            return {Action::none, "the uploaded chain is in use; a local certificate follows it", end};
        if (!inLastStretch())
            return {Action::none, "the uploaded chain is in use; nothing is issued while it lasts",
                    std::min(lastStretch(current().leaf), end)};
        if (attemptDue())
            return {Action::orderAcme, "the uploaded chain ends soon; a certificate is ordered from the CA",
                    end};
        return {Action::none, "the uploaded chain ends soon, and the CA has its next attempt before it does",
                std::min(*facts_.acme.nextAttempt, end)};
    }

    std::string whyNothingWorks() const {
        if (!facts_.current)
            return "there is no certificate yet; a local one serves until there is a better one";
        if (facts_.currentKeyLost)
            return "the key of the certificate in force is no longer in the key store; a local one serves at "
                   "once";
        if (facts_.currentKeyPlace == KeyPlace::wrongForAll)
            return "the key of the certificate in force is in the TPM, and the service reads it from a file; "
                   "a "
                   "local one serves at once";
        if (!covering(current()))
            return "the certificate in force does not cover all names; a local one serves at once";
        if (now_ < current().leaf.notBefore)
            return "the certificate in force is not valid yet; a local one serves at once";
        if (now_ >= current().leaf.notAfter)
            return "the certificate in force has expired; a local one serves at once";
        return "";
    }

    std::string whyLocalAtOnce() const {
        const bool local = current().source == Source::local;
        if (now_ >= handOver(current().leaf))
            return "the certificate in force is about to expire; a local one serves until there is a better "
                   "one";
        if (local && inLastStretch()) return "the local certificate is about to expire and is made anew";
        if (local && !facts_.issuingAuthority.empty() && current().issuerId != facts_.issuingAuthority)
            return "the box's own CA has changed; the local certificate is made anew under " +
                   facts_.issuingAuthority;
        if (local && otherKeyWanted())
            return "another kind of key is wanted; the local certificate is made anew";
        if (!local && facts_.revocation && !acmePossible())
            return "the certificate in force is to be revoked; a local one takes its place: " +
                   facts_.acmeImpossible;
        // An order that waits for its CA's limits or for the end of a pause is no failure.
        const bool noneComes =
            facts_.acme.failures > 0 || !attemptDue() || (compromised() && now_ >= endOfPatience());
        if (!local && compromised() && noneComes)
            return "the key of the certificate in force is compromised and the CA has not given another "
                   "certificate; a local one serves until it does";
        if (local && facts_.reissue && !acmePossible())
            return "a reissue was asked for, and is done locally: " + facts_.acmeImpossible;
        return "";
    }

    // Why the present certificate, which works, shall be followed by another; empty: it shall not.
    std::string whyRenew() const {
        if (facts_.revocation) return "the certificate in force is to be revoked";
        if (facts_.reissue) return "a reissue was asked for";
        if (current().source == Source::local) return "a local certificate is in use";
        if (current().source == Source::uploaded)
            return "the uploaded chain in use is no longer among the usable uploads";
        if (now_ >= acmeRenewalTime(current().leaf, facts_.renewAt))
            return facts_.renewAt && now_ >= *facts_.renewAt ? "the CA suggests to renew the certificate now"
                                                             : "the certificate is due for renewal";
        if (otherKeyWanted()) return "another kind of key is wanted";
        return "";
    }

    Decision renew(const std::string& why) const {
        if (acmePossible() && attemptDue())
            return {Action::orderAcme, why + "; one is ordered from " + facts_.orderFrom, whileOrdering()};
        switch (current().source) {
            case Source::local:
                return renewLocal(why);
            case Source::acme:
                return keepAcme(why);
            case Source::uploaded:
                break;
        }
        if (!acmePossible())
            return issueLocal(why + "; a local one takes its place: " + facts_.acmeImpossible);
        return keepUntilNextAttempt(why);
    }

    // An order may take its time: what is in force is watched meanwhile.
    TimePoint whileOrdering() const {
        const CertificateSummary& leaf = current().leaf;
        if (current().source == Source::local) return lastStretch(leaf);
        return compromised() ? std::min(handOver(leaf), endOfPatience()) : handOver(leaf);
    }

    bool compromised() const {
        return facts_.revocation && facts_.revocation->reason == RevocationReason::keyCompromise;
    }
    TimePoint endOfPatience() const { return facts_.revocation->asked + patienceWithCompromise; }

    Decision renewLocal(const std::string& why) const {
        const TimePoint due = renewalTime(current().leaf);
        if (now_ >= due) return issueLocal("the local certificate is due for renewal");
        if (!acmePossible()) return {Action::none, why + " and stays: " + facts_.acmeImpossible, due};
        return {Action::none, why + " until the CA answers; the next attempt has its time",
                std::min(due, *facts_.acme.nextAttempt)};
    }

    Decision keepAcme(const std::string& why) const {
        if (acmePossible()) return keepUntilNextAttempt(why);
        if (inLastStretch())
            return issueLocal("the certificate ends soon and the CA cannot be asked: " +
                              facts_.acmeImpossible);
        return {Action::none,
                why + ", but the CA cannot be asked; the present one stays while it is valid: " +
                    facts_.acmeImpossible,
                lastStretch(current().leaf)};
    }

    Decision keepUntilNextAttempt(const std::string& why) const {
        if (inLastStretch())
            return issueLocal(
                "the certificate ends soon and the CA has not renewed it; a local one serves until it does");
        return {Action::none, why + "; the present one stays until the CA can be asked again",
                std::min(lastStretch(current().leaf), *facts_.acme.nextAttempt)};
    }

    const CertificateFacts& facts_;
    TimePoint now_;
};

int health(const Credential& credential, TimePoint now) {
    if (!validAt(credential.leaf, now)) return 0;
    return now < lastStretch(credential.leaf) ? 2 : 1;
}

std::string whyChosen(const Credential& chosen, const Credential& next, TimePoint now) {
    const std::string others = "among the uploads that fit it is ";
    if (health(chosen, now) != health(next, now))
        return others +
               (health(next, now) == 0 ? "the one that is valid now" : "the one that does not end soon");
    if (chosen.leaf.notBefore != next.leaf.notBefore)
        return others + "the one issued last, " + formatTime(chosen.leaf.notBefore);
    if (chosen.leaf.notAfter != next.leaf.notAfter)
        return others + "the one that lasts longest, until " + formatTime(chosen.leaf.notAfter);
    return others + "the one uploaded last";
}

int rank(Source source) {
    switch (source) {
        case Source::local:
            return 0;
        case Source::acme:
            return 1;
        case Source::uploaded:
            return 2;
    }
    return 0;
}

}  // namespace

std::string_view toString(Action action) noexcept {
    switch (action) {
        case Action::none:
            return "none";
        case Action::useUploaded:
            return "use-uploaded";
        case Action::issueLocal:
            return "issue-local";
        case Action::orderAcme:
            return "order-acme";
    }
    return "";
}

Decision decide(const CertificateFacts& facts, TimePoint now) {
    return Decider(facts, now).decide();
}

UploadChoice chooseUpload(const std::vector<Identifier>& names, const std::vector<Credential>& uploads,
                          TimePoint now) {
    std::vector<Credential> fitting;
    for (const Credential& upload : uploads)
        if (coversAll(upload.leaf.names, names) && now < upload.leaf.notAfter) fitting.push_back(upload);
    if (fitting.empty()) return {};
    std::sort(fitting.begin(), fitting.end(),
              [now](const Credential& one, const Credential& other) { return better(one, other, now); });
    if (fitting.size() == 1) return {fitting.front(), "it is the only upload that fits"};
    return {fitting.front(), whyChosen(fitting[0], fitting[1], now)};
}

bool better(const Credential& candidate, const Credential& current, TimePoint now) {
    const auto order = [now](const Credential& one) {
        return std::tuple(health(one, now), rank(one.source), one.leaf.notBefore, one.leaf.notAfter);
    };
    if (order(candidate) != order(current)) return order(candidate) > order(current);
    return candidate.generation == 0 || candidate.generation > current.generation;
}

bool succeeds(const Credential& ordered, const Credential& current, TimePoint now) {
    return ordered.source == Source::acme && current.source == Source::acme &&
           health(ordered, now) >= health(current, now) && now < renewalTime(ordered.leaf);
}

}  // namespace certmgr
