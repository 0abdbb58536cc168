// Which alarms are open, from what is known. Pure: no clock, no log, no I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/alarm.h"
#include "certmgr/core/identifier.h"
#include "certmgr/core/issued_certificate.h"

namespace certmgr {

struct Validity {
    TimePoint begin;
    TimePoint end;
};

// Near its end is what has less of its lifetime left than this share of it, and fewer days than these: a
// certificate of ten years is not near its end for years.
struct EndThreshold {
    int percent;
    int days;
};

struct AlarmRules {
    // Renewal comes with a third of the lifetime left, half of a short one: what gets here was not renewed.
    EndThreshold warning{25, 21};
    EndThreshold critical{10, 7};
    int failures = 3;  // attempts in a row that must fail: one that fails is everyday life
};

struct CertificateAlarmFacts {
    std::string id;
    std::optional<Validity> validity;  // of what is in force; absent: nothing is
    bool uploaded = false;
    bool underWay = false;  // an attempt runs
    int failures = 0;       // in a row, of attempts that are still made
    std::string lastError;
    // The record of dns-persist-01 of one of its names that is gone, or goes first; absent: none does.
    struct Persist {
        Identifier name;
        std::optional<TimePoint> until;
        std::string complaint;  // what a CA would say of it; empty: it takes it
    };
    std::optional<Persist> persist = {};
    std::string misplacedKey;  // why the key is not in the TPM though it could be; empty: it is where it
                               // belongs
};

struct ServiceAlarmFacts {
    struct Refused {
        std::string certificate;
        bool goodOneServed = false;  // the generation before is back
        int failures = 0;
        std::string reason;
    };
    std::string name;
    std::vector<Refused> refused;  // certificates that it does not serve as it should
};

struct AuthorityAlarmFacts {
    std::string id;
    std::optional<Validity> signing;     // of one in force: until the box has to have another
    std::optional<Validity> revocation;  // of the list, where somebody still needs it
    std::string misplacedKey;            // as above
};

// One that a CA is still to make.
struct RevocationAlarmFacts {
    std::string certificate;  // id; there may be no such certificate any more
    std::string serial;
    RevocationReason reason = RevocationReason::unspecified;
    TimePoint asked;
    std::string words;  // what is waited for, or what the CA said last
};

struct AlarmFacts {
    ClockTrust clock;
    seconds distrustedFor{0};  // by the boot time
    std::vector<CertificateAlarmFacts> certificates;
    std::vector<ServiceAlarmFacts> services;
    std::vector<AuthorityAlarmFacts> authorities;
    std::vector<RevocationAlarmFacts> revocations;
};

struct AlarmVerdict {
    std::vector<Alarm> alarms;
    TimePoint lookAgain;  // when the verdict may change by time alone
};

// An alarm that is open gets no milder, and keeps its beginning. It ends where what is wrong is known to have
// ended: a new attempt at what failed is no end. On an untrusted clock no date is judged: what is open by
// dates stays open, nothing comes, and after ten minutes there is the alarm of the clock.
AlarmVerdict judgeAlarms(const AlarmFacts& facts, const AlarmRules& rules, const std::vector<Alarm>& open,
                         TimePoint now);

}  // namespace certmgr
