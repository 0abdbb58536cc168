#include "certmgr/core/decision.h"

#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/core/moments.h"

namespace certmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Credential credential(Source source, TimePoint notBefore = start, seconds lifetime = 90 * day) {
    Credential result;
    result.generation = 1;
    result.source = source;
    result.key = *KeyId::parse(std::string(32, source == Source::uploaded ? 'b' : 'a'));
    result.issuerId = source == Source::local ? "issuing-1" : "";
    result.leaf.names = parseIdentifiers({"a.example", "b.example"});
    result.leaf.notBefore = notBefore;
    result.leaf.notAfter = notBefore + lifetime;
    return result;
}

CertificateFacts facts(std::optional<Credential> current) {
    CertificateFacts result;
    result.spec.names = parseIdentifiers({"a.example"});
    result.current = std::move(current);
    result.issuingAuthority = "issuing-1";
    return result;
}

struct Case {
    const char* name;
    std::function<void(CertificateFacts&)> change;
    std::optional<Source> current;
    seconds age;
    Action action;
    const char* says;
    std::optional<seconds> lookAgain = std::nullopt;  // since start
};
void PrintTo(const Case& row, std::ostream* out) {
    *out << row.name;
}

void nothing(CertificateFacts&) {}
void noAcme(CertificateFacts& facts) {
    facts.acmeImpossible = "ACME is switched off";
}
void attemptOnDay100(CertificateFacts& facts) {
    facts.acme = {4, start + 100 * day};
}
void orderWaitsForDay100(CertificateFacts& facts) {
    facts.acme = {0, start + 100 * day};
}
void withUpload(CertificateFacts& facts) {
    facts.uploaded = credential(Source::uploaded);
}
auto keyPlace(KeyPlace place) {
    return [place](CertificateFacts& facts) { facts.currentKeyPlace = place; };
}
auto toBeRevoked(RevocationReason reason, seconds asked = day) {
    return [=](CertificateFacts& facts) { facts.revocation = DueRevocation{reason, start + asked}; };
}
void reissue(CertificateFacts& facts) {
    facts.reissue = true;
}
void untrusted(CertificateFacts& facts) {
    facts.clockTrusted = false;
}
void otherName(CertificateFacts& facts) {
    facts.spec.names = parseIdentifiers({"new.example"});
}
void otherKey(CertificateFacts& facts) {
    facts.current->keyAlgorithm = hal::KeyAlgorithm::rsa2048;
}
template <class... Changes>
std::function<void(CertificateFacts&)> all(Changes... changes) {
    return [=](CertificateFacts& facts) { (changes(facts), ...); };
}

class Decide : public testing::TestWithParam<Case> {};

TEST_P(Decide, doesWhatTheRulesSay) {
    const Case& row = GetParam();
    CertificateFacts input = facts(row.current ? std::optional(credential(*row.current)) : std::nullopt);
    row.change(input);
    const Decision decision = decide(input, start + row.age);
    EXPECT_EQ(toString(decision.action), toString(row.action)) << decision.reason;
    EXPECT_NE(decision.reason.find(row.says), std::string::npos) << decision.reason;
    const std::optional<TimePoint> expected =
        row.lookAgain ? std::optional(start + *row.lookAgain) : std::nullopt;
    EXPECT_EQ(decision.lookAgain, expected);
}

constexpr auto local = Source::local;
constexpr auto acme = Source::acme;
constexpr auto uploaded = Source::uploaded;

INSTANTIATE_TEST_SUITE_P(
    uploads, Decide,
    testing::Values(
        Case{"chosen", withUpload, acme, day, Action::useUploaded, "uploaded chain"},
        Case{"chosenForNothing", withUpload, {}, day, Action::useUploaded, "uploaded chain"},
        Case{"inUse", withUpload, uploaded, day, Action::none, "in use", 89 * day},
        Case{"inUseWithoutAcme", all(withUpload, noAcme), uploaded, day, Action::none, "local",
             90 * day - hours(1)},
        Case{"endsSoon", withUpload, uploaded, 89 * day + hours(1), Action::orderAcme, "ends soon",
             90 * day - hours(1)},
        Case{"endsSoonAndTheCaHasItsNextAttempt", all(withUpload, attemptOnDay100), uploaded,
             89 * day + hours(1), Action::none, "next attempt", 90 * day - hours(1)},
        Case{"endsSoonAndWinsOverLocal", withUpload, local, 89 * day + hours(1), Action::useUploaded,
             "uploaded chain"},
        Case{"notYetValid", withUpload, {}, -day, Action::issueLocal, "no certificate"},
        Case{"doesNotCover", all(withUpload, otherName), acme, day, Action::issueLocal, "cover"},
        Case{"expired", withUpload, uploaded, 90 * day, Action::issueLocal, "expired"},
        Case{"aboutToExpire", withUpload, uploaded, 90 * day - minutes(59), Action::issueLocal,
             "about to expire"},
        Case{"aboutToExpireIsNotChosenAgain", withUpload, local, 90 * day - minutes(59), Action::issueLocal,
             ""},
        Case{"winsOverReissue", all(withUpload, reissue), uploaded, day, Action::none, "in use", 89 * day},
        Case{"withdrawn", nothing, uploaded, day, Action::orderAcme, "no longer", 90 * day - hours(1)},
        Case{"withdrawnWithoutAcme", noAcme, uploaded, day, Action::issueLocal, "no longer"},
        Case{"withdrawnWaiting", attemptOnDay100, uploaded, day, Action::none, "stays", 89 * day}));

INSTANTIATE_TEST_SUITE_P(
    locals, Decide,
    testing::Values(
        Case{"nothingThere", nothing, {}, day, Action::issueLocal, "no certificate yet"},
        Case{"inUse", nothing, local, day, Action::orderAcme, "ordered from the CA", 89 * day},
        Case{"waiting", attemptOnDay100, local, day, Action::none, "until the CA answers", 60 * day},
        Case{"waitingForTheAttempt",
             [](auto& f) {
                 f.acme = {1, start + 2 * day};
             },
             local, day, Action::none, "", 2 * day},
        Case{"attemptHasCome",
             [](auto& f) {
                 f.acme = {1, start + day};
             },
             local, day, Action::orderAcme, "ordered", 89 * day},
        Case{"noAcme", noAcme, local, day, Action::none, "switched off", 60 * day},
        Case{"due", noAcme, local, 60 * day, Action::issueLocal, "due for renewal"},
        Case{"dueWhileWaiting", attemptOnDay100, local, 60 * day, Action::issueLocal, "due for renewal"},
        Case{"lastStretch", nothing, local, 89 * day, Action::issueLocal, "about to expire"},
        Case{"expired", nothing, local, 90 * day, Action::issueLocal, "expired"},
        Case{"notYetValid", nothing, local, -day, Action::issueLocal, "not valid yet"},
        Case{"otherAuthority", [](auto& f) { f.issuingAuthority = "issuing-2"; }, local, day,
             Action::issueLocal, "issuing-2"},
        Case{"authorityUnknown", all(noAcme, [](auto& f) { f.issuingAuthority = ""; }), local, day,
             Action::none, "stays", 60 * day},
        Case{"otherKey", otherKey, local, day, Action::issueLocal, "kind of key"},
        Case{"otherName", otherName, local, day, Action::issueLocal, "cover"},
        Case{"reissue", reissue, local, day, Action::orderAcme, "reissue", 89 * day},
        Case{"reissueWithoutAcme", all(reissue, noAcme), local, day, Action::issueLocal, "reissue"}));

INSTANTIATE_TEST_SUITE_P(
    acme, Decide,
    testing::Values(
        Case{"inUse", nothing, acme, day, Action::none, "not yet due", 60 * day},
        Case{"anotherAuthorityIsNoMatter", [](auto& f) { f.issuingAuthority = "issuing-2"; }, acme, day,
             Action::none, "", 60 * day},
        Case{"due", nothing, acme, 60 * day, Action::orderAcme, "due for renewal", 90 * day - hours(1)},
        Case{"failing", attemptOnDay100, acme, 60 * day, Action::none, "stays", 89 * day},
        Case{"failingUntilSoon",
             [](auto& f) {
                 f.acme = {4, start + 61 * day};
             },
             acme, 60 * day, Action::none, "stays", 61 * day},
        Case{"justBeforeTheLastStretch", attemptOnDay100, acme, 89 * day - seconds(1), Action::none, "stays",
             89 * day},
        Case{"lastStretch", attemptOnDay100, acme, 89 * day, Action::issueLocal, "ends soon"},
        Case{"lastStretchUntried", nothing, acme, 89 * day, Action::orderAcme, "due", 90 * day - hours(1)},
        Case{"lastHour", nothing, acme, 90 * day - minutes(60), Action::issueLocal, "about to expire"},
        Case{"expired", nothing, acme, 90 * day, Action::issueLocal, "expired"},
        Case{"switchedOff", noAcme, acme, 60 * day, Action::none, "stays while it is valid", 89 * day},
        Case{"switchedOffInTheLastStretch", noAcme, acme, 89 * day, Action::issueLocal, "cannot be asked"},
        Case{"otherKey", otherKey, acme, day, Action::orderAcme, "kind of key", 90 * day - hours(1)},
        Case{"otherKeyWaiting", all(otherKey, attemptOnDay100), acme, day, Action::none, "stays", 89 * day},
        Case{"otherName", otherName, acme, day, Action::issueLocal, "cover"},
        Case{"reissue", reissue, acme, day, Action::orderAcme, "reissue", 90 * day - hours(1)},
        Case{"reissueFailing", all(reissue, attemptOnDay100), acme, day, Action::none, "stays", 89 * day},
        Case{"reissueWithoutAcme", all(reissue, noAcme), acme, day, Action::none, "stays", 89 * day},
        Case{"toBeRevoked", toBeRevoked(RevocationReason::superseded), acme, day, Action::orderAcme,
             "to be revoked", 90 * day - hours(1)},
        Case{"toBeRevokedFailing", all(toBeRevoked(RevocationReason::superseded), attemptOnDay100), acme, day,
             Action::none, "stays", 89 * day},
        Case{"toBeRevokedWithoutAcme", all(toBeRevoked(RevocationReason::superseded), noAcme), acme, day,
             Action::issueLocal, "to be revoked"},
        Case{"compromised", toBeRevoked(RevocationReason::keyCompromise), acme, day, Action::orderAcme,
             "to be revoked", day + minutes(10)},
        Case{"compromisedAndTheOrderHangs", toBeRevoked(RevocationReason::keyCompromise, day - minutes(10)),
             acme, day, Action::issueLocal, "compromised"},
        Case{"compromisedFailing", all(toBeRevoked(RevocationReason::keyCompromise), attemptOnDay100), acme,
             day, Action::issueLocal, "compromised"},
        Case{"compromisedAndTheOrderWaits",
             all(toBeRevoked(RevocationReason::keyCompromise), orderWaitsForDay100), acme, day,
             Action::issueLocal, "compromised"},
        Case{"toBeRevokedAndTheOrderWaits",
             all(toBeRevoked(RevocationReason::superseded), orderWaitsForDay100), acme, day, Action::none,
             "stays", 89 * day},
        Case{"keyLost", [](auto& f) { f.currentKeyLost = true; }, acme, day, Action::issueLocal, "key store"},
        Case{"keyNobodyCanRead", keyPlace(KeyPlace::wrongForAll), acme, day, Action::issueLocal,
             "reads it from a file"},
        Case{"keyOneCannotRead", keyPlace(KeyPlace::wrongForSome), acme, day, Action::orderAcme,
             "kind of key", 90 * day - hours(1)},
        Case{"keyOneCannotReadWithoutAcme", all(keyPlace(KeyPlace::wrongForSome), noAcme), acme, day,
             Action::none, "stays", 89 * day}));

INSTANTIATE_TEST_SUITE_P(
    untrustedClock, Decide,
    testing::Values(
        Case{"nothingThere", untrusted, {}, -9000 * day, Action::issueLocal, "clock is not trusted"},
        Case{"expired", untrusted, acme, 9000 * day, Action::none, "not trusted", 9000 * day + minutes(1)},
        Case{"uploadAndNothing",
             all(untrusted, withUpload),
             {},
             -9000 * day,
             Action::useUploaded,
             "cannot be judged"},
        Case{"uploadAndOther", all(untrusted, withUpload), local, day, Action::none, "stays",
             day + minutes(1)},
        Case{"reissue", all(untrusted, reissue), local, day, Action::none, "stays", day + minutes(1)}));

void inspectionCa(CertificateFacts& facts) {
    facts.spec.usage = Usage::inspectionCa;
    facts.issuingAuthority = "root-1";
    noAcme(facts);
    if (facts.current && facts.current->source == Source::local) {
        facts.current->issuerId = "root-1";
        facts.current->leaf.names.clear();
    }
}
INSTANTIATE_TEST_SUITE_P(
    inspectionCas, Decide,
    testing::Values(
        Case{"nothingThere", inspectionCa, {}, day, Action::issueLocal, "no certificate yet"},
        Case{"inUse", inspectionCa, local, day, Action::none, "stays", 60 * day},
        Case{"due", inspectionCa, local, 60 * day, Action::issueLocal, "due for renewal"},
        Case{"reissued", all(inspectionCa, reissue), local, day, Action::issueLocal, "asked for"},
        Case{"noUploadIsOne", all(inspectionCa, withUpload), local, day, Action::none, "stays", 60 * day},
        Case{"noLeafOfACaIsOne", inspectionCa, acme, day, Action::issueLocal, "does not cover"},
        Case{"untrusted", all(inspectionCa, withUpload, untrusted), {}, day, Action::issueLocal, "reachable"},
        Case{"newRoot",
             [](auto& f) {
                 inspectionCa(f);
                 f.issuingAuthority = "root-2";
             },
             local, day, Action::issueLocal, "under root-2"},
        Case{"wasALeaf",
             [](auto& f) {
                 inspectionCa(f);
                 f.current->issuerId = "issuing-1";
             },
             local, day, Action::issueLocal, "under root-1"}));

TEST(Decide, takesAnUploadedChainThatWasRepaired) {
    CertificateFacts input = facts(credential(Source::uploaded));
    input.uploaded = input.current;
    input.uploaded->key = *KeyId::parse(std::string(32, 'c'));
    EXPECT_EQ(decide(input, start + day).action, Action::useUploaded);
}

TEST(Decide, whatACaIssuedInTheLastStretchOfAnUploadStays) {
    CertificateFacts input = facts(credential(Source::acme, start + 89 * day));
    input.uploaded = credential(Source::uploaded);
    EXPECT_EQ(decide(input, start + 89 * day + hours(1)).action, Action::none);
    EXPECT_EQ(decide(input, start + 88 * day).action, Action::useUploaded);
}

TEST(ChooseUpload, SaysWhyThisOne) {
    const TimePoint now = start + day;
    const std::vector<Identifier> names = parseIdentifiers({"a.example"});
    const auto choose = [&](const std::vector<Credential>& uploads) {
        return chooseUpload(names, uploads, now);
    };
    const auto made = [](TimePoint notBefore, seconds lifetime, std::int64_t generation) {
        Credential upload = credential(uploaded, notBefore, lifetime);
        upload.generation = generation;
        return upload;
    };
    const Credential old = made(start, 90 * day, 1);
    EXPECT_FALSE(choose({}).credential);
    EXPECT_FALSE(choose({made(start - 90 * day, 90 * day, 2)}).credential) << "it has ended";
    EXPECT_EQ(choose({old}).reason, "it is the only upload that fits");
    EXPECT_FALSE(chooseUpload(parseIdentifiers({"other.example"}), {old}, now).credential);

    const auto wins = [&](const Credential& better, const std::string& reason) {
        for (const auto& both : {std::vector{old, better}, std::vector{better, old}}) {
            const UploadChoice choice = choose(both);
            ASSERT_TRUE(choice.credential);
            EXPECT_EQ(choice.credential->generation, better.generation);
            EXPECT_NE(choice.reason.find(reason), std::string::npos) << choice.reason;
        }
    };
    wins(made(start + hours(1), 30 * day, 2), "issued last");
    wins(made(start, 120 * day, 2), "lasts longest");
    wins(made(start, 90 * day, 2), "uploaded last");
    EXPECT_EQ(choose({old, made(now + day, 90 * day, 2)}).credential->generation, 1) << "not valid yet";
    EXPECT_NE(choose({old, made(now + day, 90 * day, 2)}).reason.find("valid now"), std::string::npos);
    EXPECT_NE(choose({old, made(start - 89 * day, 90 * day + hours(20), 2)}).reason.find("end soon"),
              std::string::npos);
}

TEST(Better, ranksHealthThenSourceThenIssue) {
    const TimePoint now = start + day;
    const auto wins = [now](const Credential& one, const Credential& other, TimePoint at = {}) {
        const TimePoint when = at == TimePoint{} ? now : at;
        return better(one, other, when) && !better(other, one, when);
    };
    EXPECT_TRUE(wins(credential(acme), credential(local)));
    EXPECT_TRUE(wins(credential(uploaded), credential(acme)));
    EXPECT_TRUE(wins(credential(local), credential(acme, start - 100 * day)));
    EXPECT_TRUE(wins(credential(local), credential(uploaded, start + 2 * day)));
    EXPECT_TRUE(wins(credential(local, start + 80 * day), credential(acme), start + 89 * day));
    EXPECT_TRUE(wins(credential(acme), credential(local, start + 80 * day), start + 88 * day));
    EXPECT_TRUE(wins(credential(local, start + hours(1), 10 * day), credential(local)));
    Credential later = credential(local);
    later.generation = 2;
    EXPECT_TRUE(wins(later, credential(local)));
    later.generation = 0;
    EXPECT_TRUE(better(later, credential(local), now));
    EXPECT_FALSE(better(credential(local), credential(local), now));
}

TEST(Succeeds, whatWasOrderedThoughItBeginsEarlier) {
    const TimePoint now = start + day;
    Credential fromMidnight = credential(acme, start - hours(12));
    EXPECT_FALSE(better(fromMidnight, credential(acme), now));
    EXPECT_TRUE(succeeds(fromMidnight, credential(acme), now));
    EXPECT_FALSE(succeeds(credential(acme, start - 70 * day), credential(acme), now)) << "due itself";
    EXPECT_FALSE(succeeds(credential(acme, start + 2 * day), credential(acme), now)) << "not valid yet";
    EXPECT_FALSE(succeeds(fromMidnight, credential(uploaded), now));
    EXPECT_FALSE(succeeds(credential(local), credential(acme), now));
}

}  // namespace
}  // namespace certmgr
