// Ten years of one certificate, with a CA that fails at random and clocks, uploads and authorities that
// change.
#include <random>

#include <gtest/gtest.h>

#include "certmgr/core/decision.h"
#include "tests/support/manual_clock.h"
#include "tests/unit/core/moments.h"

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr hours year = 365 * day;

struct Weather {
    const char* name;
    double failure;               // chance that an order fails, outside of outages
    seconds lifetime;             // of what the CA issues
    seconds outage;               // the CA is away for so long, every year
    bool uploads;                 // the administrator brings a chain of half a year, every two years
    double onLocal;               // at most this part of the time with a local certificate
    bool suggestsTheEnd = false;  // the CA wants each certificate renewed in its last second
};
void PrintTo(const Weather& weather, std::ostream* out) {
    *out << weather.name;
}

// The engine in short: does what decide() says, and keeps what the database would.
class Life {
  public:
    Life(const Weather& weather, unsigned seed) : weather_(weather), random_(seed), clock_(start) {
        facts_.spec.names = parseIdentifiers({"gw.example.de"});
        facts_.issuingAuthority = "issuing-1";
    }

    void run() {
        while (clock_.now() < start + 10 * year) {
            environment();
            settle();
            if (testing::Test::HasFatalFailure()) return;
            sleepUntilNeeded();
        }
    }

    int orders() const { return orders_; }
    int acmeIssued() const { return acmeIssued_; }
    int localIssued() const { return localIssued_; }
    seconds onLocal() const { return onLocal_; }

  private:
    seconds age() const { return clock_.now() - start; }
    bool caIsAway() const { return age() % year >= year - weather_.outage; }
    double chance() { return std::uniform_real_distribution<>(0, 1)(random_); }

    void environment() {
        if (weather_.uploads && age() >= nextUpload_) {
            facts_.uploaded = make(Source::uploaded, year / 2);
            nextUpload_ += 2 * year;
        }
        facts_.issuingAuthority = "issuing-" + std::to_string(1 + age() / (4 * year));
    }

    Credential make(Source source, seconds lifetime) {
        Credential credential;
        credential.generation = ++generation_;
        credential.source = source;
        credential.key = KeyId::fresh();
        credential.leaf.names = facts_.spec.names;
        credential.leaf.sha256 = credential.key.text();
        credential.leaf.notBefore = clock_.now() - hours(1);
        credential.leaf.notAfter = credential.leaf.notBefore + lifetime;
        if (source == Source::local) credential.issuerId = facts_.issuingAuthority;
        return credential;
    }

    void settle() {
        for (int steps = 0; steps < 5; ++steps) {
            const Decision decision = decide(facts_, clock_.now());
            ASSERT_FALSE(decision.reason.empty());
            apply(decision);
            if (testing::Test::HasFatalFailure()) return;
            checkInForce();
            if (decision.action != Action::none) continue;
            ASSERT_TRUE(decision.lookAgain) << decision.reason;
            ASSERT_GT(*decision.lookAgain, clock_.now()) << decision.reason;
            lookAgain_ = *decision.lookAgain;
            return;
        }
        FAIL() << "no rest on day " << age() / day;
    }

    void apply(const Decision& decision) {
        switch (decision.action) {
            case Action::none:
                return;
            case Action::useUploaded:
                return putInForce(*facts_.uploaded);
            case Action::issueLocal:
                ++localIssued_;
                return putInForce(make(Source::local, 90 * day));
            case Action::orderAcme:
                return order();
        }
    }

    void order() {
        ++orders_;
        ASSERT_GE(clock_.now(), facts_.acme.nextAttempt.value_or(start)) << "an attempt before its time";
        if (!caIsAway() && chance() >= weather_.failure) {
            facts_.acme = {};
            ++acmeIssued_;
            return putInForce(make(Source::acme, weather_.lifetime));
        }
        ++facts_.acme.failures;
        std::optional<seconds> remaining;
        if (weather_.lifetime < 10 * day) remaining = facts_.current->leaf.notAfter - clock_.now();
        facts_.acme.nextAttempt =
            nextAttempt(facts_.acme.failures, clock_.now(), remaining, chance(), std::nullopt);
    }

    void putInForce(Credential credential) {
        if (facts_.current) {
            const Credential& before = *facts_.current;
            const bool working = before.leaf.notAfter > clock_.now();
            const bool downgrade = before.source == Source::acme && credential.source == Source::local;
            ASSERT_TRUE(!working || !downgrade || clock_.now() >= lastStretch(before.leaf))
                << "a needless downgrade";
            ASSERT_TRUE(better(credential, before, clock_.now()));
        }
        facts_.current = std::move(credential);
        facts_.renewAt.reset();
        if (weather_.suggestsTheEnd) facts_.renewAt = facts_.current->leaf.notAfter - seconds(1);
    }

    void checkInForce() const {
        ASSERT_TRUE(facts_.current);
        ASSERT_LE(facts_.current->leaf.notBefore, clock_.now());
        ASSERT_GT(facts_.current->leaf.notAfter, clock_.now());
    }

    // To the time that was named, and often some minutes later, as a busy daemon would be.
    void sleepUntilNeeded() {
        const TimePoint wake = lookAgain_ + seconds(static_cast<int>(chance() * 300));
        ASSERT_LT(wake, facts_.current->leaf.notAfter) << "would sleep past the end of what is in force";
        if (facts_.current->source == Source::local) onLocal_ += wake - clock_.now();
        clock_.advance(wake - clock_.now());
    }

    Weather weather_;
    std::mt19937 random_;
    testing_support::ManualClock clock_;
    CertificateFacts facts_;
    TimePoint lookAgain_;
    seconds nextUpload_ = year;
    seconds onLocal_{0};
    std::int64_t generation_ = 0;
    int orders_ = 0;
    int acmeIssued_ = 0;
    int localIssued_ = 0;
};

class TenYears : public testing::TestWithParam<Weather> {};

TEST_P(TenYears, aValidCertificateIsAlwaysInForce) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        Life life(GetParam(), seed);
        life.run();
        ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
        // One order for each certificate, and beyond that what the ladder allows: three quick ones after each
        // success, one a day, and eight for each short lifetime that runs out.
        const auto outage = static_cast<int>(10 * GetParam().outage / minutes(15));
        EXPECT_LE(life.orders(), life.acmeIssued() * 4 + 3653 + outage) << "seed " << seed;
    }
}

TEST_P(TenYears, theCaIsUsedWhereItAnswers) {
    Life life(GetParam(), 7);
    life.run();
    if (GetParam().failure < 1) {
        EXPECT_GT(life.acmeIssued(), 10);
        EXPECT_LT(life.onLocal() / (10.0 * year), GetParam().onLocal);
    } else {
        EXPECT_EQ(life.acmeIssued(), 0);
        EXPECT_GE(life.localIssued(), 40);
    }
}

INSTANTIATE_TEST_SUITE_P(all, TenYears,
                         testing::Values(Weather{"fine", 0, 90 * day, seconds(0), false, 0.001},
                                         Weather{"changeable", 0.5, 90 * day, 20 * day, true, 0.05},
                                         Weather{"longOutages", 0.2, 90 * day, 60 * day, true, 0.2},
                                         Weather{"stormy", 0.95, 45 * day, 10 * day, false, 0.5},
                                         Weather{"shortLived", 0.3, hours(160), 5 * day, false, 0.05},
                                         Weather{"shortLivedToTheEnd", 0.5, hours(160), seconds(0), false,
                                                 0.001, true},
                                         Weather{"never", 1, 90 * day, seconds(0), true, 1}));

}  // namespace
}  // namespace certmgr
