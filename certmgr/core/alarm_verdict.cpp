#include "certmgr/core/alarm_verdict.h"

#include <algorithm>
#include <map>
#include <utility>

#include "certmgr/core/clock_poll.h"
#include "certmgr/core/persist_record.h"

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A box that starts without a network waits for the time.
constexpr seconds clockGrace = minutes(10);
// A service that takes no new certificate goes on with the old one, which ends some day.
constexpr seconds longestRollback = hours(24);
// What a CA may take to revoke: Baseline Requirements 4.9.1.1. A compromised key is not to wait so long.
constexpr seconds longestRevocation = hours(24);
constexpr seconds longestOfCompromisedKey = hours(1);
// Trust in the clock may go without a jump of it.
constexpr seconds longestWithoutLook = hours(1);

// Before a record of dns-persist-01 ends.
constexpr seconds persistAhead = hours(24 * 30);

TimePoint nearFrom(const Validity& validity, const EndThreshold& threshold) {
    const seconds share = (validity.end - validity.begin) * threshold.percent / 100;
    return validity.end - std::min<seconds>(share, hours(24 * threshold.days));
}

// Errors come from far away.
std::string oneLine(std::string text) {
    std::ranges::replace_if(
        text, [](unsigned char letter) { return letter < ' ' || letter == 0x7f; }, ' ');
    return text;
}

class Judge {
  public:
    Judge(const AlarmFacts& facts, const AlarmRules& rules, const std::vector<Alarm>& open, TimePoint now)
        : facts_(facts), rules_(rules), now_(now) {
        for (const Alarm& alarm : open) open_.emplace(std::pair(alarm.kind, alarm.subject), &alarm);
        verdict_.lookAgain = now + (facts.clock.trusted ? longestWithoutLook : untrustedClockPoll);
    }

    AlarmVerdict judge() && {
        clock();
        for (const CertificateAlarmFacts& certificate : facts_.certificates) {
            expiring(certificate);
            failing(certificate);
            persistEnding(certificate);
            misplaced(certificate.id, certificate.misplacedKey);
        }
        for (const ServiceAlarmFacts& service : facts_.services) notProved(service);
        for (const AuthorityAlarmFacts& authority : facts_.authorities) {
            ending(AlarmKind::authorityEnding, authority.id, authority.signing,
                   "no other CA of the box has taken its place; certmgrctl authority reissue makes one");
            ending(AlarmKind::crlEnding, authority.id, authority.revocation,
                   "its revocation list could not be made anew, and services that check clients will refuse "
                   "all of them; the journal says why");
            misplaced(authority.id, authority.misplacedKey);
        }
        revocations();
        return std::move(verdict_);
    }

  private:
    const Alarm* openOne(AlarmKind kind, const std::string& subject) const {
        const auto found = open_.find({kind, subject});
        return found == open_.end() ? nullptr : found->second;
    }

    void raise(AlarmKind kind, AlarmSeverity severity, const std::string& subject, std::string sentence) {
        const Alarm* const known = openOne(kind, subject);
        verdict_.alarms.push_back({kind, known ? std::max(known->severity, severity) : severity, subject,
                                   oneLine(std::move(sentence)), known ? known->since : now_});
    }

    void lookAt(TimePoint time) {
        if (time > now_) verdict_.lookAgain = std::min(verdict_.lookAgain, time);
    }

    std::optional<AlarmSeverity> nearEnd(const Validity& validity) {
        for (const auto& [threshold, severity] : {std::pair(rules_.critical, AlarmSeverity::critical),
                                                  std::pair(rules_.warning, AlarmSeverity::warning)}) {
            const TimePoint from = nearFrom(validity, threshold);
            if (from <= now_) return severity;
            lookAt(from);
        }
        return std::nullopt;
    }

    // Where the dates of a subject cannot be judged; true: they cannot.
    bool held(AlarmKind kind, const std::string& subject) {
        if (facts_.clock.trusted) return false;
        if (const Alarm* const known = openOne(kind, subject)) verdict_.alarms.push_back(*known);
        return true;
    }

    std::string endOf(const Validity& validity) const {
        return (validity.end <= now_ ? "expired at " : "ends at ") + formatTime(validity.end);
    }

    void clock() {
        if (facts_.clock.trusted) return;
        if (!openOne(AlarmKind::clockNotTrusted, "clock") && facts_.distrustedFor < clockGrace) return;
        raise(AlarmKind::clockNotTrusted, AlarmSeverity::warning, "clock",
              facts_.clock.reason + "; until then no certificate is renewed and none is judged by its dates");
    }

    void expiring(const CertificateAlarmFacts& certificate) {
        constexpr AlarmKind kind = AlarmKind::expiring;
        if (!certificate.validity || held(kind, certificate.id)) return;
        const std::optional<AlarmSeverity> severity = nearEnd(*certificate.validity);
        if (!severity) return;
        // After a long time without power the attempt that runs may be all there is to it.
        const bool mayBeOver = certificate.underWay && certificate.failures == 0;
        if (mayBeOver && *severity == AlarmSeverity::warning && !openOne(kind, certificate.id)) return;
        std::string why = "; it was not renewed";
        if (certificate.uploaded) why = "; it was uploaded, and nobody but you renews it";
        if (!certificate.lastError.empty()) why += ": " + certificate.lastError;
        raise(kind, *severity, certificate.id,
              "the certificate in force " + endOf(*certificate.validity) + why);
    }

    void failing(const CertificateAlarmFacts& certificate) {
        const bool open = openOne(AlarmKind::failing, certificate.id) != nullptr;
        const bool goesOn = open && (certificate.failures > 0 || certificate.underWay);
        if (certificate.failures < rules_.failures && !goesOn) return;
        const bool serves = certificate.validity.has_value();
        raise(AlarmKind::failing, serves ? AlarmSeverity::warning : AlarmSeverity::critical, certificate.id,
              std::string(serves ? "a better certificate cannot be had" : "there is no certificate at all") +
                  ", the last error: " + certificate.lastError);
    }

    // An administrator has to put another one, and may need time for it.
    void persistEnding(const CertificateAlarmFacts& certificate) {
        constexpr AlarmKind kind = AlarmKind::persistRecordEnding;
        if (!certificate.persist) return;
        const auto& [name, until, complaint] = *certificate.persist;
        std::string what = "is gone (" + complaint + ")";
        if (complaint.empty()) {
            if (!until || held(kind, certificate.id)) return;
            if (now_ < *until - persistAhead) return lookAt(*until - persistAhead);
            what = (*until < now_ ? "has ended " : "ends ") + formatTime(*until);
        }
        raise(kind, AlarmSeverity::warning, certificate.id,
              "the record " + persistOwner(name) + ", by which it was proved, " + what +
                  ": it cannot be renewed by dns-persist-01 then; put the one there that \"" +
                  persistCommand(name) + "\" prints");
    }

    void notProved(const ServiceAlarmFacts& service) {
        if (service.refused.empty()) return;
        const Alarm* const known = openOne(AlarmKind::notProved, service.name);
        const auto& worst = *std::ranges::min_element(service.refused, {}, [](const auto& refused) {
            return std::pair(refused.goodOneServed, -refused.failures);
        });
        const int failures =
            std::ranges::max(service.refused, {}, &ServiceAlarmFacts::Refused::failures).failures;
        if (!known && failures < rules_.failures) return;
        bool critical = !worst.goodOneServed;
        if (known && facts_.clock.trusted) {
            critical = critical || now_ >= known->since + longestRollback;
            lookAt(known->since + longestRollback);
        }
        const std::size_t others = service.refused.size() - 1;
        raise(AlarmKind::notProved, critical ? AlarmSeverity::critical : AlarmSeverity::warning, service.name,
              "it does not serve the new certificate of " + worst.certificate +
                  (others > 0 ? " and " + std::to_string(others) + " more" : "") + ": " + worst.reason);
    }

    void misplaced(const std::string& subject, const std::string& why) {
        if (why.empty()) return;
        raise(AlarmKind::keyMisplaced, AlarmSeverity::warning, subject,
              "its key is a file though a TPM is preferred (" + why +
                  "); once the TPM works, reissue makes a key there");
    }

    void ending(AlarmKind kind, const std::string& subject, const std::optional<Validity>& validity,
                const std::string& what) {
        if (!validity || held(kind, subject)) return;
        if (const std::optional<AlarmSeverity> severity = nearEnd(*validity))
            raise(kind, *severity, subject, endOf(*validity) + "; " + what);
    }

    bool overdue(const RevocationAlarmFacts& revocation) {
        const bool compromised = revocation.reason == RevocationReason::keyCompromise;
        const TimePoint from = revocation.asked + (compromised ? longestOfCompromisedKey : longestRevocation);
        lookAt(from);
        return from <= now_;
    }

    // One for all of a certificate, which mostly have the same key.
    void revocations() {
        std::map<std::string, std::vector<const RevocationAlarmFacts*>> due;
        for (const RevocationAlarmFacts& revocation : facts_.revocations)
            due[revocation.certificate].push_back(&revocation);
        for (auto& [certificate, all] : due) {
            if (held(AlarmKind::revocationDue, certificate)) continue;
            std::erase_if(all, [&](const auto* revocation) { return !overdue(*revocation); });
            if (!all.empty()) revocationDue(certificate, all);
        }
    }

    void revocationDue(const std::string& certificate, const std::vector<const RevocationAlarmFacts*>& all) {
        const auto compromised = [](const RevocationAlarmFacts* each) {
            return each->reason == RevocationReason::keyCompromise;
        };
        const RevocationAlarmFacts& worst = **std::ranges::max_element(all, {}, compromised);
        raise(AlarmKind::revocationDue,
              compromised(&worst) ? AlarmSeverity::critical : AlarmSeverity::warning, certificate,
              "its CA was to revoke " + worst.serial +
                  (all.size() > 1 ? " and " + std::to_string(all.size() - 1) + " more" : "") + " (" +
                  std::string(toString(worst.reason)) + "), asked for at " + formatTime(worst.asked) +
                  ", which is not done: " + (worst.words.empty() ? "it was not tried yet" : worst.words) +
                  "; where a service is waited for, \"certmgrctl acme revoke " + certificate +
                  " --now\" waits no longer");
    }

    const AlarmFacts& facts_;
    const AlarmRules& rules_;
    const TimePoint now_;
    std::map<std::pair<AlarmKind, std::string>, const Alarm*> open_;
    AlarmVerdict verdict_;
};

}  // namespace

AlarmVerdict judgeAlarms(const AlarmFacts& facts, const AlarmRules& rules, const std::vector<Alarm>& open,
                         TimePoint now) {
    return Judge(facts, rules, open, now).judge();
}

}  // namespace certmgr
