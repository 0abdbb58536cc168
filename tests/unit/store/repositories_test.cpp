#include "certmgr/store/repositories.h"

#include <gtest/gtest.h>

#include "certmgr/store/query.h"
#include "tests/support/child_process.h"
#include "tests/unit/store/samples.h"

namespace certmgr::store {
namespace {

// Everything is asked for once from the connection that wrote it, and once after a restart.
class Repositories : public testing::Test {
  protected:
    void restart() {
        database_.reset();
        database_.emplace(folder_ / "certmgr.db");
    }
    Database& database() { return *database_; }
    void intendKey(const KeyId& id) { KeyRepository(database()).intend(id, "certificate:gw.example"); }
    void putCertificate(const std::string& id) {
        CertificateRepository(database()).put(sampleSpec(id), true);
    }

    testing_support::TemporaryDirectory folder_;
    std::optional<Database> database_{std::in_place, folder_ / "certmgr.db"};
};

TEST_F(Repositories, keysAreIntendedThenMadeThenForgotten) {
    intendKey(sampleKey('a'));
    EXPECT_FALSE(KeyRepository(database()).find(sampleKey('a'))->made);
    hal::KeyInfo info;
    info.id = sampleKey('a');
    info.backend = hal::KeyBackend::sealed;
    info.reasonCode = "no-tpm";
    info.reason = "there is no TPM";
    KeyRepository(database()).made(info);
    restart();
    KeyRepository keys(database());
    const KeyRow row = keys.find(sampleKey('a')).value();
    EXPECT_TRUE(row.made);
    EXPECT_EQ(row.purpose + row.backend + row.reasonCode + row.reason,
              "certificate:gw.examplesealedno-tpmthere is no TPM");
    EXPECT_EQ(errorCode([&] { intendKey(sampleKey('a')); }), "database-duplicate");
    info.id = sampleKey('b');
    EXPECT_EQ(errorCode([&] { keys.made(info); }), "key-not-found");
    keys.forget(sampleKey('a'));
    EXPECT_FALSE(keys.find(sampleKey('a')));
}

TEST_F(Repositories, certificatesKeepTheirHistoryWhenWhatIsWantedChanges) {
    CertificateRepository certificates(database());
    putCertificate("b.example");
    putCertificate("a.example");
    certificates.askReissue("b.example", true);
    certificates.attemptFailed("b.example", {3, sampleTime + seconds(60)}, sampleTime, "acme-rejected",
                               "no such host", "{\"type\":\"dns\"}");
    CertificateSpec changed = sampleSpec("b.example");
    changed.acme = false;
    changed.users.clear();
    certificates.put(changed, false);
    restart();
    const CertificateRow row = CertificateRepository(database()).find("b.example").value();
    EXPECT_EQ(row.spec, changed);
    EXPECT_FALSE(row.fromProfile);
    EXPECT_TRUE(row.reissueAsked);
    EXPECT_EQ(row.acme.failures, 3);
    EXPECT_EQ(row.acme.nextAttempt, sampleTime + seconds(60));
    EXPECT_EQ(row.lastAttempt, sampleTime);
    EXPECT_EQ(row.lastError + row.lastErrorCode + row.lastProblem,
              "no such hostacme-rejected{\"type\":\"dns\"}");
    const auto rows = CertificateRepository(database()).list();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].spec, sampleSpec("a.example"));
}

TEST_F(Repositories, retryAndSuccessClearWhatTheyShould) {
    CertificateRepository certificates(database());
    putCertificate("a.example");
    certificates.attemptFailed("a.example", {3, sampleTime}, sampleTime, "x", "y", "z");
    certificates.retryNow("a.example");
    EXPECT_EQ(certificates.find("a.example")->acme.nextAttempt, std::nullopt);
    EXPECT_EQ(certificates.find("a.example")->acme.failures, 0);
    EXPECT_EQ(certificates.find("a.example")->lastError, "y");
    certificates.attemptSucceeded("a.example", sampleTime + seconds(1));
    certificates.setProvedBy("a.example", ChallengeKind::dns01);
    const CertificateRow row = certificates.find("a.example").value();
    EXPECT_EQ(row.lastError + row.lastErrorCode + row.lastProblem, "");
    EXPECT_EQ(row.lastAttempt, sampleTime + seconds(1));
    EXPECT_EQ(certificates.find("a.example")->provedBy, ChallengeKind::dns01);
    certificates.setProvedBy("a.example", std::nullopt);
    EXPECT_EQ(certificates.find("a.example")->provedBy, std::nullopt);
}

TEST_F(Repositories, theNewestOfACaOutlivesTheLocalOnesThatFollowIt) {
    putCertificate("a.example");
    CredentialRepository credentials(database());
    const auto add = [&](char key, Source source) {
        intendKey(sampleKey(key));
        Credential credential = sampleCredential("a.example", sampleKey(key));
        credential.source = source;
        credentials.setCurrent("a.example", credentials.add(credential, sampleTime));
    };
    const auto kept = [&] {
        std::string keys;
        for (const Credential& each : credentials.history("a.example")) keys += each.key.text().front();
        return keys;
    };
    for (const char key : {'1', '2', '3'}) add(key, Source::local);
    EXPECT_EQ(credentials.retire("a.example", sampleTime), std::vector<KeyId>{sampleKey('1')});
    for (const char key : {'4', '5'}) add(key, Source::acme);
    for (const char key : {'6', '7', '8'}) add(key, Source::local);
    EXPECT_EQ(credentials.retire("a.example", sampleTime).size(), 4U);
    EXPECT_EQ(kept(), "875");
    add('9', Source::acme);
    credentials.retire("a.example", sampleTime);
    EXPECT_EQ(kept(), "98") << "one that has a successor is kept no longer";
    EXPECT_EQ(credentials.retired("a.example").size(), 1U) << "all have the same fingerprint";
    EXPECT_EQ(credentials.retired("a.example")[0].leaf, sampleCredential("a.example", KeyId()).leaf);
    credentials.retire("a.example", sampleTime + std::chrono::hours(24 * 3650));
    EXPECT_TRUE(credentials.retired("a.example").empty());
}

TEST_F(Repositories, anOrderThatWaitsHasItsLastAttemptBehindIt) {
    CertificateRepository certificates(database());
    putCertificate("a.example");
    certificates.orderWaits("a.example", sampleTime, sampleTime + seconds(60), "a pause", "p");
    EXPECT_EQ(certificates.find("a.example")->lastAttempt, std::nullopt) << "there was none";
    certificates.attemptFailed("a.example", {1, sampleTime + seconds(600)}, sampleTime + seconds(500), "x",
                               "y", "z");
    certificates.orderWaits("a.example", sampleTime, sampleTime + seconds(60), "a pause", "p");
    EXPECT_EQ(certificates.find("a.example")->lastAttempt, sampleTime);
    EXPECT_EQ(certificates.find("a.example")->nextAttempt(sampleTime), sampleTime + seconds(60));
    certificates.orderWaits("a.example", sampleTime + seconds(9), sampleTime + seconds(60), "a pause", "p");
    EXPECT_EQ(certificates.find("a.example")->lastAttempt, sampleTime);
}

TEST_F(Repositories, credentialsGrowAndOneIsCurrent) {
    intendKey(sampleKey('a'));
    putCertificate("a.example");
    putCertificate("b.example");
    CredentialRepository credentials(database());
    EXPECT_FALSE(credentials.current("a.example"));
    const auto first = credentials.add(sampleCredential("a.example", sampleKey('a')), sampleTime);
    const auto second = credentials.add(sampleCredential("a.example", sampleKey('a')), sampleTime);
    EXPECT_GT(second, first);
    credentials.setCurrent("a.example", first);
    restart();
    CredentialRepository again(database());
    const Credential current = again.current("a.example").value();
    EXPECT_EQ(current.generation, first);
    EXPECT_EQ(current.leaf, sampleSummary());
    EXPECT_EQ(current.source, Source::acme);
    EXPECT_EQ(current.key, sampleKey('a'));
    EXPECT_EQ(current.issuerId, "letsencrypt");
    EXPECT_FALSE(current.keyAlgorithm);
    EXPECT_EQ(current.chainReason, "the first chain of the CA");
    EXPECT_EQ(current.acmeProfile + ": " + current.acmeProfileReason, "classic: the CA has no other");
    hal::KeyInfo info;
    info.id = sampleKey('a');
    info.algorithm = hal::KeyAlgorithm::ecP384;
    KeyRepository(database()).made(info);
    EXPECT_EQ(again.find(second)->keyAlgorithm, hal::KeyAlgorithm::ecP384);
    ASSERT_EQ(again.history("a.example").size(), 2u);
    EXPECT_EQ(again.history("a.example")[0].generation, second);
    EXPECT_EQ(again.currentGenerations(),
              (std::vector<std::pair<CertificateId, std::int64_t>>{{"a.example", first}}));
    EXPECT_EQ(errorCode([&] { again.setCurrent("b.example", first); }), "database-reference");
    EXPECT_EQ(errorCode([&] { again.setCurrent("c.example", first); }), "certificate-not-found");
    EXPECT_EQ(errorCode([&] { KeyRepository(database()).forget(sampleKey('a')); }), "key-in-use");
}

TEST_F(Repositories, aRemovedCertificateTakesItsOwnWithItAndNoNumberComesAgain) {
    intendKey(sampleKey('a'));
    putCertificate("a.example");
    CredentialRepository credentials(database());
    const auto generation = credentials.add(sampleCredential("a.example", sampleKey('a')), sampleTime);
    credentials.setCurrent("a.example", generation);
    OrderRepository(database()).intend(sampleOrder("a.example", sampleKey('a')));
    DeploymentRepository(database()).put({"web", "a.example", generation});
    CertificateRepository(database()).remove("a.example");
    EXPECT_FALSE(credentials.find(generation));
    EXPECT_FALSE(OrderRepository(database()).open("a.example"));
    EXPECT_TRUE(DeploymentRepository(database()).list("web").empty());
    KeyRepository(database()).forget(sampleKey('a'));
    intendKey(sampleKey('a'));
    putCertificate("a.example");
    EXPECT_GT(credentials.add(sampleCredential("a.example", sampleKey('a')), sampleTime), generation);
}

TEST_F(Repositories, uploadsAreListed) {
    intendKey(sampleKey('a'));
    UploadRepository uploads(database());
    const auto id = uploads.add({0, sampleKey('a'), "chain", sampleSummary(), sampleTime});
    ASSERT_EQ(uploads.list().size(), 1u);
    EXPECT_EQ(uploads.list()[0].leaf, sampleSummary());
    EXPECT_EQ(uploads.list()[0].uploaded, sampleTime);
    EXPECT_EQ(errorCode([&] { KeyRepository(database()).forget(sampleKey('a')); }), "key-in-use");
    uploads.remove(id);
    EXPECT_TRUE(uploads.list().empty());
}

TEST_F(Repositories, aNameThatIsNoUtf8IsStoredAsWellAsItCan) {
    intendKey(sampleKey('a'));
    UploadRow upload{0, sampleKey('a'), "chain", sampleSummary(), sampleTime};
    upload.leaf.names = {{Identifier::Type::dns,
                          "b\xfc"
                          "cher\n\""}};
    UploadRepository(database()).add(upload);
    EXPECT_EQ(UploadRepository(database()).list().at(0).leaf.names.at(0).value,
              "b\xef\xbf\xbd"
              "cher\n\"");
}

TEST_F(Repositories, aCertificateHasOneOpenOrder) {
    intendKey(sampleKey('a'));
    putCertificate("a.example");
    OrderRepository orders(database());
    const auto order = orders.intend(sampleOrder("a.example", sampleKey('a')));
    for (const OrderState state : {OrderState::sending, OrderState::created}) {
        EXPECT_EQ(errorCode([&] { orders.intend(sampleOrder("a.example", sampleKey('a'))); }),
                  "database-duplicate");
        orders.setState(order, state, state == OrderState::created ? "https://ca/order/1" : "");
        EXPECT_EQ(orders.open("a.example")->state, state);
    }
    EXPECT_TRUE(orders.knowsUrl("https://ca/order/1"));
    EXPECT_FALSE(orders.knowsUrl("https://ca/order/2"));
    EXPECT_FALSE(orders.knowsUrl(""));
    orders.setState(order, OrderState::abandoned, "expired at the server");
    restart();
    OrderRepository again(database());
    EXPECT_FALSE(again.open("a.example"));
    const auto second = again.intend(sampleOrder("a.example", sampleKey('a')));
    EXPECT_EQ(again.open("a.example")->id, second);
    EXPECT_EQ(again.open("a.example")->directory, "https://ca/dir");
    EXPECT_EQ(again.open("a.example")->profile, "shortlived, required");
    {
        Query ended(database(), "SELECT url, explanation FROM orders WHERE id = ?", order);
        ASSERT_TRUE(ended.next());
        EXPECT_EQ(ended.text(), "https://ca/order/1");
        EXPECT_EQ(ended.text(), "expired at the server");
    }
    again.setState(second, OrderState::lost, "no answer");
    OrderRow later = sampleOrder("a.example", sampleKey('a'));
    later.intended = sampleTime + seconds(9);
    again.setState(again.intend(later), OrderState::lost, "no answer");
    EXPECT_EQ(again.ended("a.example", OrderState::abandoned).count, 1u);
    EXPECT_EQ(again.ended("a.example", OrderState::lost).count, 2u);
    EXPECT_EQ(again.ended("a.example", OrderState::lost).newest, sampleTime + seconds(9));
    EXPECT_EQ(again.ended("b.example", OrderState::lost).count, 0u);
    EXPECT_FALSE(again.ended("b.example", OrderState::lost).newest);
    EXPECT_EQ(errorCode([&] { again.setState(99, OrderState::lost, ""); }), "order-not-found");
    EXPECT_EQ(errorCode([&] { again.intend(sampleOrder("no.example", sampleKey('a'))); }),
              "database-reference");
}

class OrdersGivenUp : public Repositories {
  protected:
    OrdersGivenUp() {
        for (const char key : {'1', 'a', 'b'}) intendKey(sampleKey(key));
        putCertificate("a.example");
        putInForce();
    }
    void putInForce() {
        CredentialRepository credentials(database());
        credentials.setCurrent("a.example",
                               credentials.add(sampleCredential("a.example", sampleKey('1')), sampleTime));
    }
    std::int64_t order(char key, bool replaces, OrderState end, const std::string& url) {
        OrderRepository orders(database());
        const std::int64_t id = orders.intend(sampleOrder("a.example", sampleKey(key)));
        orders.sending(id, sampleTime, replaces, false);
        if (!url.empty()) orders.setState(id, OrderState::created, url);
        orders.setState(id, end, end == OrderState::created ? url : "why");
        return id;
    }
    std::vector<KeyId> unreferenced() { return KeyRepository(database()).unreferenced(); }

    const std::vector<KeyId> both_{sampleKey('a'), sampleKey('b')};
};

TEST_F(OrdersGivenUp, theKeyStaysUntilAnotherCertificateIsInForce) {
    order('a', true, OrderState::abandoned, "https://ca/order/1");
    restart();
    KeyRepository keys(database());
    EXPECT_EQ(keys.unreferenced(), std::vector{sampleKey('b')});
    EXPECT_TRUE(keys.used(sampleKey('a')));
    EXPECT_EQ(errorCode([&] { keys.forget(sampleKey('a')); }), "key-in-use");
    EXPECT_EQ(keys.spare(), both_) << "but it may be taken";
    putInForce();
    EXPECT_EQ(keys.unreferenced(), both_);
    keys.forget(sampleKey('a'));
}

TEST_F(OrdersGivenUp, aKeyThatServesElsewhereIsNotSpare) {
    order('a', true, OrderState::abandoned, "https://ca/order/1");
    CredentialRepository(database()).add(sampleCredential("a.example", sampleKey('a')), sampleTime);
    EXPECT_EQ(KeyRepository(database()).spare(), std::vector{sampleKey('b')});
}

TEST_F(OrdersGivenUp, noKeyStaysOfOneThatReplacesNothingOrHasNoUrlOrIsRefused) {
    order('a', false, OrderState::abandoned, "https://ca/order/1");
    order('b', true, OrderState::abandoned, "");
    EXPECT_EQ(unreferenced(), both_);
    order('a', true, OrderState::abandoned, "https://ca/order/3");
    order('b', false, OrderState::abandoned, "https://ca/order/3");
    EXPECT_EQ(unreferenced(), std::vector{sampleKey('b')});
    OrderRepository(database()).setRefused(sampleKey('a'));
    EXPECT_EQ(unreferenced(), both_);
}

TEST_F(OrdersGivenUp, onlyTheKeyOfTheNewestStays) {
    order('a', true, OrderState::abandoned, "https://ca/order/1");
    const std::int64_t second = order('b', true, OrderState::sending, "");
    EXPECT_TRUE(unreferenced().empty()) << "the CA may refuse the second";
    OrderRepository(database()).setState(second, OrderState::created, "https://ca/order/2");
    EXPECT_EQ(unreferenced(), std::vector{sampleKey('a')});
    OrderRepository(database()).setState(second, OrderState::abandoned, "why");
    EXPECT_EQ(unreferenced(), std::vector{sampleKey('a')});
}

TEST_F(Repositories, accountsAreRememberedByCaAndDirectory) {
    intendKey(sampleKey('a'));
    AccountRepository accounts(database());
    accounts.intend("ca", "https://ca/dir", sampleKey('a'));
    EXPECT_EQ(accounts.find("ca", "https://ca/dir")->url, "");
    accounts.registered("ca", "https://ca/dir", "https://ca/acct/1");
    accounts.termsSeen("ca", "https://ca/dir", "https://ca/terms-2");
    accounts.termsAgreed("ca", "https://ca/dir", "https://ca/terms-1", sampleTime);
    accounts.bound("ca", "https://ca/dir", "kid-1");
    restart();
    EXPECT_EQ(AccountRepository(database()).find("ca", "https://ca/dir")->externalKey, "kid-1");
    EXPECT_EQ(AccountRepository(database()).find("ca", "https://ca/dir")->terms, "https://ca/terms-2");
    EXPECT_EQ(AccountRepository(database()).find("ca", "https://ca/dir")->termsAgreed, "https://ca/terms-1");
    EXPECT_EQ(AccountRepository(database()).find("ca", "https://ca/dir")->termsAgreedAt, sampleTime);
    EXPECT_EQ(AccountRepository(database()).find("ca", "https://ca/dir")->url, "https://ca/acct/1");
    EXPECT_FALSE(AccountRepository(database()).find("ca", "https://other/dir"));
    EXPECT_EQ(errorCode([&] { AccountRepository(database()).registered("x", "y", "z"); }),
              "account-not-found");
}

TEST_F(Repositories, theKeyThatIsToFollowInAnAccountIsUsedUntilThatIsSettled) {
    intendKey(sampleKey('a'));
    intendKey(sampleKey('b'));
    AccountRepository accounts(database());
    accounts.intend("ca", "https://ca/dir", sampleKey('a'));
    EXPECT_FALSE(accounts.find("ca", "https://ca/dir")->nextKey);
    accounts.intendNextKey("ca", "https://ca/dir", sampleKey('b'));
    EXPECT_EQ(accounts.find("ca", "https://ca/dir")->nextKey, sampleKey('b'));
    EXPECT_TRUE(KeyRepository(database()).unreferenced().empty());
    accounts.settleKey("ca", "https://ca/dir", sampleKey('b'));
    EXPECT_EQ(accounts.find("ca", "https://ca/dir")->key, sampleKey('b'));
    EXPECT_FALSE(accounts.find("ca", "https://ca/dir")->nextKey);
    EXPECT_EQ(KeyRepository(database()).unreferenced(), std::vector<KeyId>{sampleKey('a')});
    accounts.remove("ca", "https://ca/dir");
    EXPECT_FALSE(accounts.find("ca", "https://ca/dir"));
}

TEST_F(Repositories, authoritiesAreNumberedByRole) {
    intendKey(sampleKey('a'));
    AuthorityRepository authorities(database());
    EXPECT_EQ(authorities.nextId(AuthorityRole::root), "root-1");
    authorities.add({"root-1", AuthorityRole::root, sampleKey('a'), "pem", "", sampleSummary()});
    authorities.add({"issuing-9", AuthorityRole::issuing, sampleKey('a'), "pem", "root-1", sampleSummary()});
    authorities.add({"issuing-10", AuthorityRole::issuing, sampleKey('a'), "pem", "root-1", sampleSummary()});
    EXPECT_EQ(authorities.nextId(AuthorityRole::issuing), "issuing-11");
    EXPECT_EQ(authorities.newest(AuthorityRole::issuing)->id, "issuing-10");
    EXPECT_EQ(authorities.newest(AuthorityRole::root)->parent, "");
    EXPECT_EQ(authorities.list().front().parent, "root-1");
    EXPECT_EQ(authorities.list().back().summary, sampleSummary());
    const AuthorityRecord orphan{"issuing-11", AuthorityRole::issuing, sampleKey('a'), "pem",
                                 "root-7",     sampleSummary()};
    EXPECT_EQ(errorCode([&] { authorities.add(orphan); }), "database-reference");
}

TEST_F(Repositories, deploymentsAndSmallFactsAreReplaced) {
    putCertificate("a.example");
    DeploymentRepository deployments(database());
    deployments.put({"web", "a.example", 7, 0, "pending", "", std::nullopt, 0, std::nullopt});
    deployments.put(
        {"web", "a.example", 8, 7, "rolled-back", "old leaf", sampleTime, 2, sampleTime + seconds(9)});
    restart();
    const DeploymentRow row = DeploymentRepository(database()).find("web", "a.example").value();
    EXPECT_EQ(row.wanted * 10 + row.lastGood, 87);
    EXPECT_EQ(row.state + row.reason, "rolled-backold leaf");
    EXPECT_EQ(row.provedAt, sampleTime);
    EXPECT_EQ(row.nextAttempt, sampleTime + seconds(9));
    DeploymentRepository(database()).remove("web", "a.example");
    EXPECT_FALSE(DeploymentRepository(database()).find("web", "a.example"));
    MetaRepository meta(database());
    EXPECT_FALSE(meta.get("build"));
    meta.set("build", "1");
    meta.set("build", "2");
    EXPECT_EQ(meta.get("build"), "2");
}

TEST_F(Repositories, alarmsThatOnlyALaterReleaseKnowsAreLeftOutAndCountAsTold) {
    const Alarm known{AlarmKind::notProved, AlarmSeverity::warning, "web", "it's not served", sampleTime};
    AlarmRepository(database()).record({{AlarmEvent::raised, known}});
    Query(database(), "INSERT INTO alarms VALUES ('key-bored', 'gw', 'warning', 'it yawns', 1)").run();
    Query(database(), "INSERT INTO alarms VALUES ('failing', 'gw', 'amusing', 'it laughs', 1)").run();
    Query(database(), "INSERT INTO alarm_notices SELECT 7, 'raised', * FROM alarms WHERE kind = 'key-bored'")
        .run();
    Query(database(), "INSERT INTO alarm_notices SELECT 8, 'snoozed', * FROM alarms WHERE subject = 'web'")
        .run();
    EXPECT_EQ(AlarmRepository(database()).open(), std::vector<Alarm>{known});
    const AlarmRepository::Untold untold = AlarmRepository(database()).untold();
    EXPECT_EQ(untold.notices, (std::vector<AlarmNotice>{{AlarmEvent::raised, known}}));
    EXPECT_EQ(untold.last, 8);
}

TEST_F(Repositories, alarmsOpenWorsenAndEndAndAreToldOnce) {
    Alarm alarm{AlarmKind::notProved, AlarmSeverity::warning, "web", "it's not served", sampleTime};
    const Alarm other{AlarmKind::expiring, AlarmSeverity::critical, "gw.example", "it ends", sampleTime};
    AlarmRepository(database()).record({{AlarmEvent::raised, alarm}, {AlarmEvent::raised, other}});
    restart();
    EXPECT_EQ(AlarmRepository(database()).open(), (std::vector<Alarm>{other, alarm}));
    alarm.severity = AlarmSeverity::critical;
    AlarmRepository(database()).record({{AlarmEvent::worsened, alarm}, {AlarmEvent::cleared, other}});
    EXPECT_EQ(AlarmRepository(database()).open(), std::vector<Alarm>{alarm});
    const AlarmRepository::Untold untold = AlarmRepository(database()).untold();
    ASSERT_EQ(untold.notices.size(), 4U);
    EXPECT_EQ(untold.notices[2], (AlarmNotice{AlarmEvent::worsened, alarm}));
    AlarmRepository(database()).record({{AlarmEvent::cleared, alarm}});
    AlarmRepository(database()).told(untold.last);
    restart();
    EXPECT_TRUE(AlarmRepository(database()).open().empty());
    EXPECT_EQ(AlarmRepository(database()).untold().notices,
              (std::vector<AlarmNotice>{{AlarmEvent::cleared, alarm}}));
}

TEST_F(Repositories, bucketsAreOfOneDirectoryAndForgottenWhenTheyAreFull) {
    BudgetRepository budget(database());
    const BucketId orders{LimitKind::orders, "https://ca/1", ""},
        set{LimitKind::certificatesPerSet, "", "a, b"};
    budget.put("https://ca/dir", orders, sampleTime);
    budget.put("https://ca/dir", orders, sampleTime + seconds(36));
    budget.put("https://ca/dir", set, sampleTime);
    budget.put("https://other/dir", set, sampleTime + seconds(9));
    Query(database(), "INSERT INTO rate_buckets VALUES ('https://ca/dir', 'patience', '', '', 9)").run();
    restart();
    budget.forgetFull(sampleTime - seconds(1));
    EXPECT_EQ(budget.list("https://ca/dir"),
              (Buckets{{orders, sampleTime + seconds(36)}, {set, sampleTime}}));
    EXPECT_EQ(budget.fullAgain("https://other/dir", set), sampleTime + seconds(9));
    EXPECT_EQ(budget.fullAgain("https://other/dir", orders), std::nullopt);
    budget.forgetFull(sampleTime);
    EXPECT_EQ(budget.list("https://ca/dir"), (Buckets{{orders, sampleTime + seconds(36)}}));
}

TEST_F(Repositories, pausesAreOfOneDirectoryAndForgottenWhenTheyAreOver) {
    PauseRepository pauses(database());
    const CaPause all{"", sampleTime, "too many", ""};
    CaPause name{"a.example", sampleTime, "failed", "https://ca/unpause?jwt=1"};
    pauses.put("https://ca/dir", all);
    pauses.put("https://ca/dir", name);
    pauses.put("https://other/dir", all);
    name.until += seconds(9);
    pauses.put("https://ca/dir", name);
    restart();
    EXPECT_EQ(pauses.list("https://ca/dir"), (std::vector<CaPause>{all, name}));
    EXPECT_EQ(pauses.find("https://ca/dir", "a.example"), name);
    EXPECT_EQ(pauses.find("https://other/dir", "a.example"), std::nullopt);
    pauses.forgetOver(sampleTime);
    EXPECT_EQ(pauses.list("https://ca/dir"), std::vector<CaPause>{name});
    EXPECT_TRUE(pauses.list("https://other/dir").empty());
    EXPECT_TRUE(pauses.any("https://ca/dir"));
    EXPECT_FALSE(pauses.any("https://other/dir"));
    pauses.put("https://other/dir", all);
    pauses.remove("https://ca/dir", "a.example");
    EXPECT_TRUE(pauses.list("https://ca/dir").empty());
    pauses.removeAll("https://other/dir");
    EXPECT_TRUE(pauses.list("https://other/dir").empty());
}

TEST_F(Repositories, anOrderKeepsWhetherItCounts) {
    putCertificate("a.example");
    intendKey(sampleKey('a'));
    OrderRepository orders(database());
    const std::int64_t id = orders.intend(sampleOrder("a.example", sampleKey('a')));
    EXPECT_FALSE(orders.open("a.example")->exempt);
    orders.sending(id, sampleTime, false, true);
    restart();
    EXPECT_TRUE(OrderRepository(database()).open("a.example")->exempt);
}

AcmeRevocationRow sampleRevocation(const KeyId& key, RevocationReason reason) {
    AcmeRevocationRow row;
    row.certificate = "gw.example";
    row.ca = "letsencrypt";
    row.key = key;
    row.leafPem = "-----BEGIN CERTIFICATE-----\n";
    row.leaf = sampleSummary();
    row.reason = reason;
    row.asked = sampleTime;
    return row;
}

TEST_F(Repositories, aRevocationKeepsItsKeyUntilItIsOver) {
    const KeyId key = sampleKey('a');
    intendKey(key);
    AcmeRevocationRepository revocations(database());
    revocations.ask(sampleRevocation(key, RevocationReason::superseded));
    revocations.attemptFailed(1, {2, sampleTime + seconds(600)}, "no answer");
    restart();
    AcmeRevocationRepository again(database());
    ASSERT_EQ(again.due().size(), 1u);
    const AcmeRevocationRow row = again.due().front();
    EXPECT_EQ(row.certificate + row.ca + row.words, "gw.exampleletsencryptno answer");
    EXPECT_EQ(row.leaf, sampleSummary());
    EXPECT_EQ(row.attempts.failures, 2);
    EXPECT_EQ(row.attempts.nextAttempt, sampleTime + seconds(600));
    KeyRepository keys(database());
    EXPECT_TRUE(keys.used(key));
    EXPECT_TRUE(keys.unreferenced().empty());
    EXPECT_EQ(errorCode([&] { keys.forget(key); }), "key-in-use");
    again.ended(row.id, AcmeRevocationState::done, "");
    EXPECT_FALSE(keys.used(key));
    keys.forget(key);
    EXPECT_TRUE(again.list("gw.example").front().key.empty());
    EXPECT_TRUE(again.due().empty());
}

TEST_F(Repositories, aRevocationKnowsItsCaAndForWhomItWaits) {
    const KeyId key = sampleKey('a');
    intendKey(key);
    AcmeRevocationRepository revocations(database());
    AcmeRevocationRow row = sampleRevocation(key, RevocationReason::keyCompromise);
    row.directory = "https://ca.example/dir";
    revocations.ask(row);
    EXPECT_EQ(revocations.due().front().directory, row.directory);
    EXPECT_FALSE(revocations.due().front().atOnce);

    row.asked += seconds(60);
    row.reason = RevocationReason::superseded;
    row.atOnce = true;
    revocations.ask(row);
    EXPECT_TRUE(revocations.due().front().atOnce);
    EXPECT_EQ(revocations.due().front().reason, RevocationReason::keyCompromise);
    EXPECT_EQ(revocations.due().front().asked, sampleTime) << "since when it is due";
    row.atOnce = false;
    row.reason = RevocationReason::keyCompromise;
    revocations.ask(row);
    EXPECT_TRUE(revocations.due().front().atOnce) << "what was said holds while it is due";

    revocations.ended(1, AcmeRevocationState::refused, "not yours");
    revocations.ask(row);
    EXPECT_FALSE(revocations.due().front().atOnce);
    EXPECT_EQ(revocations.due().front().asked, row.asked) << "another time";
}

TEST_F(Repositories, aRevocationIsAskedForOnceAndTheWorstReasonCounts) {
    const KeyId key = sampleKey('a');
    intendKey(key);
    AcmeRevocationRepository revocations(database());
    revocations.ask(sampleRevocation(key, RevocationReason::superseded));
    revocations.ask(sampleRevocation(key, RevocationReason::cessationOfOperation));
    EXPECT_EQ(revocations.dueFor(key)->reason, RevocationReason::superseded);
    revocations.ask(sampleRevocation(key, RevocationReason::keyCompromise));
    EXPECT_EQ(revocations.dueFor(key)->reason, RevocationReason::keyCompromise);
    revocations.ended(1, AcmeRevocationState::refused, "not yours");
    EXPECT_FALSE(revocations.dueFor(key));
    EXPECT_EQ(revocations.list("gw.example").front().words, "not yours");
    revocations.ask(sampleRevocation(key, RevocationReason::superseded));
    EXPECT_EQ(revocations.dueFor(key)->reason, RevocationReason::superseded);
    revocations.ended(1, AcmeRevocationState::done, "");
    revocations.ask(sampleRevocation(key, RevocationReason::keyCompromise));
    EXPECT_TRUE(revocations.due().empty());
}

TEST_F(Repositories, recordsThatProvedACertificateGoWithIt) {
    PersistRepository records(database());
    putCertificate("a.example");
    records.put({"a.example", "b.example", "ca", std::nullopt, "", TimePoint()});
    records.put({"a.example", "*.a.example", "ca", sampleTime, "", sampleTime});
    records.put({"a.example", "b.example", "ca", std::nullopt, "gone", sampleTime});
    std::vector<PersistRow> rows = records.list("a.example");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].name, "*.a.example");
    EXPECT_EQ(rows[0].until, sampleTime);
    EXPECT_EQ(rows[1].complaint, "gone") << "what was known of the name is replaced";
    EXPECT_EQ(rows[1].until, std::nullopt);
    records.forget("a.example", "b.example");
    EXPECT_EQ(records.list("a.example").size(), 1u);
    CertificateRepository(database()).remove("a.example");
    EXPECT_TRUE(records.list("a.example").empty());
}

}  // namespace
}  // namespace certmgr::store
