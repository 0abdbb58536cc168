// What is stored, by subject. Each method is one durable transaction of its own unless called inside
// Database::transaction(). Absence is std::nullopt or an empty list; everything else that goes wrong is an
// Error: those of Database, "database-duplicate", "database-reference", and what a method names.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "certmgr/core/acme_revocation.h"
#include "certmgr/core/alarm.h"
#include "certmgr/core/authority_record.h"
#include "certmgr/core/ca_pause.h"
#include "certmgr/core/certificate.h"
#include "certmgr/core/challenge_kind.h"
#include "certmgr/core/decision.h"
#include "certmgr/core/issued_certificate.h"
#include "certmgr/core/rate_budget.h"
#include "certmgr/core/renewal_info.h"
#include "certmgr/store/database.h"

namespace certmgr::store {

// What a key was made for. Stored before the key store is asked to make it, so no key can be forgotten.
struct KeyRow {
    KeyId id;
    // "local:gw.example", "order:gw.example", "acme-account:letsencrypt", "authority:root-1"
    std::string purpose;
    bool made = false;
    std::string backend;     // "tpm", "sealed", "file"; empty while not made
    std::string reasonCode;  // why that back end
    std::string reason;
};
class KeyRepository {
  public:
    explicit KeyRepository(Database& database) : database_(database) {}
    void intend(const KeyId& id, const std::string& purpose);
    void made(const hal::KeyInfo& info);
    std::optional<KeyRow> find(const KeyId& id);
    std::vector<KeyRow> list();  // by id
    // An unused one that was intended for this and, as far as is known, not made.
    std::optional<KeyId> unmade(const std::string& purpose);
    // Keys that no credential, upload, account, authority, open order or due revocation uses any more;
    // without the one, at most, of each certificate with which an order that was given up may be gone back
    // to: the CA has taken that order in the place of the generation that still is in force.
    std::vector<KeyId> unreferenced();
    // Those, and the ones that are only there for an order to be gone back to.
    std::vector<KeyId> spare();
    bool used(const KeyId& id);
    // "key-in-use" while one of those uses it. Orders that have ended stay on record without it.
    void forget(const KeyId& id);

  private:
    Database& database_;
};

// How a certificate came to be wanted.
struct CertificateRow {
    CertificateSpec spec;
    bool fromProfile = false;  // wanted by at least one service profile
    bool profileOnly = false;  // never asked for over the bus
    bool wanted() const { return fromProfile || !profileOnly; }
    bool reissueAsked = false;
    AttemptRecord acme;
    std::string lastError;  // of issuing, in plain words; empty: none
    std::string lastErrorCode;
    std::string lastProblem;  // the ACME problem document, whole
    std::optional<TimePoint> lastAttempt;
    // What proved it last, when a kind that is preferred had failed.
    std::optional<ChallengeKind> provedBy = std::nullopt;
    std::string waits;  // why its order waits, in plain words; empty: it does not
    // What there is to wait for by `acme`.
    std::optional<TimePoint> nextAttempt(TimePoint now) const {
        return believedAttempt(acme.nextAttempt, lastAttempt, now);
    }
};
class CertificateRepository {
  public:
    explicit CertificateRepository(Database& database) : database_(database) {}
    // Adds it, or changes what is wanted; the history stays.
    void put(const CertificateSpec& spec, bool fromProfile);
    void droppedByProfiles(const CertificateId& id);
    std::optional<CertificateRow> find(const CertificateId& id);
    std::vector<CertificateRow> list();  // by id
    // With its credentials and orders. Returns the keys that were theirs, for the caller to destroy; those of
    // uploads stay.
    std::vector<KeyId> remove(const CertificateId& id);
    void askReissue(const CertificateId& id, bool asked);
    void attemptFailed(const CertificateId& id, const AttemptRecord& acme, TimePoint when,
                       const std::string& code, const std::string& error, const std::string& problem);
    // No attempt was made and none failed: it waits for what others wait for too, and `why` says why. A last
    // attempt that is still to come is put at `now`, or the wait would not be believed.
    void orderWaits(const CertificateId& id, TimePoint now, TimePoint until, const std::string& why,
                    const std::string& what);
    // How many wait for that still.
    std::int64_t waiting(const std::string& what, TimePoint now);
    void attemptSucceeded(const CertificateId& id, TimePoint when);  // failures 0, error cleared
    void retryNow(const CertificateId& id);  // failures 0, no nextAttempt; the error stays shown
    void setProvedBy(const CertificateId& id, std::optional<ChallengeKind> kind);

  private:
    Database& database_;
};

// Of a CA on the net, renewed and still valid.
struct RetiredCertificate {
    std::string ca;
    std::string directory;  // of the CA; empty: it is not on record
    std::string chainPem;
    CertificateSummary leaf;
};
class CredentialRepository {
  public:
    explicit CredentialRepository(Database& database) : database_(database) {}
    // Gives it the next generation number, which was never used before, and returns that.
    std::int64_t add(const Credential& credential, TimePoint when);
    std::optional<Credential> find(std::int64_t generation);
    // The newest one in force for a certificate; uploads are credentials like the others.
    std::optional<Credential> current(const CertificateId& id);
    std::vector<Credential> history(const CertificateId& id);  // newest first
    void setCurrent(const CertificateId& id, std::int64_t generation);
    std::vector<std::pair<CertificateId, std::int64_t>> currentGenerations();
    // Deletes what nothing can go back to: neither in force, nor wanted or last good at a service, nor among
    // the newest two, nor uploaded. The newest of a CA stays, however many local ones follow it: by it the
    // next order is told to be a renewal and an emergency. Returns their keys, for the caller to destroy.
    // What a CA issued is kept as retired until it ends; `now`: absent on a clock that is not trusted.
    std::vector<KeyId> retire(const CertificateId& id, std::optional<TimePoint> now);
    std::vector<RetiredCertificate> retired(const CertificateId& id);

  private:
    Database& database_;
};

// An uploaded chain; it may cover several certificates.
struct UploadRow {
    std::int64_t id = 0;
    KeyId key;
    std::string chainPem;
    CertificateSummary leaf;
    TimePoint uploaded;
};
class UploadRepository {
  public:
    explicit UploadRepository(Database& database) : database_(database) {}
    std::int64_t add(const UploadRow& upload);
    std::vector<UploadRow> list();
    // The certificates that it is in force for, and those that a service was last brought or may go back to.
    std::vector<CertificateId> servedBy(std::int64_t id);
    // With the credentials made of it; it must serve nothing. The caller destroys its key.
    void remove(std::int64_t id);

  private:
    Database& database_;
};

enum class OrderState {
    intended,   // the key is intended or made, nothing was sent
    sending,    // newOrder was or is about to be sent
    created,    // the URL is known
    finished,   // its certificate became a credential
    abandoned,  // invalid or expired at the server, or given up since another CA or profile was wanted
    lost,  // newOrder was sent, the answer never came, and nobody can tell, or asks any more, what came of it
};
std::string_view toString(OrderState state) noexcept;

struct OrderRow {
    std::int64_t id = 0;
    CertificateId certificate;
    std::string ca;
    std::string directory;  // of the CA; empty: of a release that did not record it
    KeyId key;
    OrderState state = OrderState::intended;
    std::string url;           // empty until created
    TimePoint intended;        // or placed, once it was
    bool exempt = false;       // no limit of the CA holds for it
    std::string profile = {};  // that is wanted: "shortlived", or "shortlived, required"
};
class OrderRepository {
  public:
    explicit OrderRepository(Database& database) : database_(database) {}
    // Its number and state are given to it.
    std::int64_t intend(const OrderRow& order);
    void setState(std::int64_t id, OrderState state, const std::string& urlOrExplanation);
    // It goes out, perhaps long after it was intended: from now on its age is that of what the CA has.
    // `replaces`: the generation in force (RFC 9773 5), if that is a CA's. `exempt`: no limit holds for it.
    void sending(std::int64_t id, TimePoint when, bool replaces, bool exempt);
    // What was ordered with this key is refused, and nothing to go back to.
    void setRefused(const KeyId& key);
    // The intent that is not at its end (intended, sending, created); at most one for a certificate.
    std::optional<OrderRow> open(const CertificateId& certificate);
    bool knowsUrl(const std::string& url);
    // URLs of those of the same certificate, directory and profile that were given up, were to replace a
    // certificate and still have a key, the newest first.
    std::vector<std::string> givenUp(const OrderRow& like);
    // Keys of those that were given up or lost, at whatever CA.
    std::vector<KeyId> keysGivenUp(const CertificateId& certificate);
    void takeKey(std::int64_t id, const KeyId& key);
    // Of the CA at which the certificate of this key was ordered; empty: it is not on record.
    std::string directoryOf(const KeyId& key);
    struct Ended {
        std::uint64_t count = 0;
        std::optional<TimePoint> newest;  // when its intent was stored
    };
    Ended ended(const CertificateId& certificate, OrderState state);

  private:
    Database& database_;
};

struct AccountRow {
    std::string ca;
    std::string directory;
    KeyId key;
    std::optional<KeyId> nextKey;  // the CA was or is about to be told that this one follows
    std::string url;               // empty until registered
    std::string externalKey;       // id of the key that bound it to an account elsewhere; empty: none did
    std::string terms;             // URL of what the CA asked to agree to when its directory was last read
    std::string termsAgreed;       // URL of what was agreed to last
    std::optional<TimePoint> termsAgreedAt;
};
class AccountRepository {
  public:
    explicit AccountRepository(Database& database) : database_(database) {}
    void intend(const std::string& ca, const std::string& directory, const KeyId& key);
    // `url` empty: not any more.
    void registered(const std::string& ca, const std::string& directory, const std::string& url);
    void termsSeen(const std::string& ca, const std::string& directory, const std::string& terms);
    void termsAgreed(const std::string& ca, const std::string& directory, const std::string& terms,
                     TimePoint when);
    void intendNextKey(const std::string& ca, const std::string& directory, const KeyId& key);
    // The end of that: the key that the account has at the CA.
    void settleKey(const std::string& ca, const std::string& directory, const KeyId& key);
    void remove(const std::string& ca, const std::string& directory);
    void bound(const std::string& ca, const std::string& directory, const std::string& externalKey);
    std::optional<AccountRow> find(const std::string& ca, const std::string& directory);

  private:
    Database& database_;
};

class AuthorityRepository {
  public:
    explicit AuthorityRepository(Database& database) : database_(database) {}
    void add(const AuthorityRecord& record);
    std::vector<AuthorityRecord> list();  // newest first
    std::optional<AuthorityRecord> newest(AuthorityRole role);
    std::string nextId(AuthorityRole role);  // "issuing-3"

    // The key that waits for a certificate of somebody else's CA; a later request takes the place of an
    // earlier one, and add() ends it.
    void request(const KeyId& key);
    std::optional<KeyId> requested();

    void addCross(const CrossCertificate& cross);
    std::vector<CrossCertificate> crossCertificates();

  private:
    Database& database_;
};

// What the box's own CA issued to others.
class IssuedRepository {
  public:
    explicit IssuedRepository(Database& database) : database_(database) {}
    std::int64_t add(const IssuedCertificate& certificate);
    std::vector<IssuedCertificate> list(std::int64_t after, int most);  // by number
    std::optional<IssuedCertificate> find(const std::string& serial);
    // A second revocation changes nothing: the first one's time counts (RFC 5280 5.3.2).
    void revoke(const std::string& serial, const Revocation& revocation);
    // Of one authority, those that end after `end`; by serial.
    std::vector<IssuedCertificate> revoked(const std::string& authority, TimePoint end);
    // How many of an authority are neither revoked nor at their end.
    std::int64_t valid(const std::string& authority, TimePoint now);

  private:
    Database& database_;
};

struct CrlRow {
    std::string authority;
    std::int64_t number = 0;
    TimePoint thisUpdate;
    TimePoint nextUpdate;
    std::vector<std::string> serials;  // those on it
    std::string crlPem;
};
class CrlRepository {
  public:
    explicit CrlRepository(Database& database) : database_(database) {}
    void put(const CrlRow& row);
    std::optional<CrlRow> find(const std::string& authority);

  private:
    Database& database_;
};

// What the CA has said of the renewal of a credential.
class RenewalRepository {
  public:
    explicit RenewalRepository(Database& database) : database_(database) {}
    void put(std::int64_t generation, const RenewalInfo& info);
    std::optional<RenewalInfo> find(std::int64_t generation);

  private:
    Database& database_;
};

// A record of dns-persist-01 that proved a name of a certificate when its CA asked last.
struct PersistRow {
    CertificateId certificate;
    std::string name;  // with its "*." where it is a wildcard
    std::string ca;
    std::optional<TimePoint> until;  // its end, as it was seen last; absent: none, or not seen yet
    std::string complaint;           // why it is of no use any more; empty: it is
    TimePoint nextLook;
};
class PersistRepository {
  public:
    explicit PersistRepository(Database& database) : database_(database) {}
    // Takes the place of what is known of this name of the certificate.
    void put(const PersistRow& row);
    // Only where nothing has come in between: it was still to be looked at then.
    void seen(const PersistRow& row, TimePoint due);
    void forget(const CertificateId& certificate, const std::string& name);
    std::vector<PersistRow> list(const CertificateId& certificate);  // by name

  private:
    Database& database_;
};

// What is used of the limits of each CA, by the URL of its directory.
class BudgetRepository {
  public:
    explicit BudgetRepository(Database& database) : database_(database) {}
    std::optional<TimePoint> fullAgain(const std::string& directory, const BucketId& bucket);
    void put(const std::string& directory, const BucketId& bucket, TimePoint fullAgain);
    // Of kinds that this release knows.
    Buckets list(const std::string& directory);
    // Those that are full.
    void forgetFull(TimePoint now);

  private:
    Database& database_;
};

// What each CA has said to leave alone, by the URL of its directory.
class PauseRepository {
  public:
    explicit PauseRepository(Database& database) : database_(database) {}
    // In the place of what was known of that subject.
    void put(const std::string& directory, const CaPause& pause);
    std::vector<CaPause> list(const std::string& directory);  // by subject
    std::optional<CaPause> find(const std::string& directory, const std::string& subject);
    bool any(const std::string& directory);
    void remove(const std::string& directory, const std::string& subject);
    void removeAll(const std::string& directory);
    // Those that are over.
    void forgetOver(TimePoint now);

  private:
    Database& database_;
};

// A certificate of a CA on the net that is to be revoked there.
struct AcmeRevocationRow {
    std::int64_t id = 0;
    CertificateId certificate;
    std::string ca;         // as it was called when it issued the certificate
    std::string directory;  // its URL; empty: a release that did not record it placed the order
    KeyId key;              // empty: there is none any more
    std::string leafPem;
    CertificateSummary leaf;
    RevocationReason reason = RevocationReason::unspecified;
    TimePoint asked;
    AcmeRevocationState state = AcmeRevocationState::due;
    bool atOnce = false;  // no service is waited for
    std::string words;    // of the CA, or what is waited for
    AttemptRecord attempts;
};
class AcmeRevocationRepository {
  public:
    explicit AcmeRevocationRepository(Database& database) : database_(database) {}
    // Makes it due, also one that was refused before; one that is due or done stays, but that a key may now
    // be known to be compromised, which is the reason then, or no service be waited for any more. What
    // changes nothing in the reason leaves `asked` as it was.
    void ask(const AcmeRevocationRow& row);
    // What was given up as expired, by a clock that was ahead, is due again.
    void resume(TimePoint now);
    std::vector<AcmeRevocationRow> due();                                   // the oldest first
    std::vector<AcmeRevocationRow> list(const CertificateId& certificate);  // newest first
    std::optional<DueRevocation> dueFor(const KeyId& key);
    void waits(std::int64_t id, const std::string& words);
    void attemptFailed(std::int64_t id, const AttemptRecord& attempts, const std::string& words);
    void ended(std::int64_t id, AcmeRevocationState state, const std::string& words);

  private:
    Database& database_;
};

// What each service was last brought, and with which result.
struct DeploymentRow {
    std::string service;
    CertificateId certificate;
    std::int64_t wanted = 0;    // the generation of the last try
    std::int64_t lastGood = 0;  // the newest generation that was proved; 0: none yet
    std::string state;          // deploy::State as text, or "pending"
    std::string reason;
    std::optional<TimePoint> provedAt;
    int failures = 0;
    std::optional<TimePoint> nextAttempt;
};
class DeploymentRepository {
  public:
    explicit DeploymentRepository(Database& database) : database_(database) {}
    void put(const DeploymentRow& row);
    std::optional<DeploymentRow> find(const std::string& service, const CertificateId& certificate);
    std::vector<DeploymentRow> list(const std::string& service);
    std::vector<DeploymentRow> list();
    // Service and certificate, where what was proved last was signed by this authority of ours.
    std::vector<std::pair<std::string, CertificateId>> servedUnder(const std::string& authority);
    void remove(const std::string& service, const CertificateId& certificate);

  private:
    Database& database_;
};

// The alarms that are open, and what has still to be told of them to the program for that.
class AlarmRepository {
  public:
    explicit AlarmRepository(Database& database) : database_(database) {}
    // By kind and subject. Kinds and severities that only a later release knows are left out, here and below.
    std::vector<Alarm> open();
    // Opens, worsens and ends alarms, and keeps the notices to be told.
    void record(const std::vector<AlarmNotice>& notices);

    struct Untold {
        std::vector<AlarmNotice> notices;  // the oldest first
        std::int64_t last = 0;             // number of the newest, also of those left out; 0: none
    };
    Untold untold(std::int64_t after = 0);  // those of a greater number
    void told(std::int64_t last);           // this one and those before it

  private:
    Database& database_;
};

// Small facts: "last-time-seen", "build".
class MetaRepository {
  public:
    explicit MetaRepository(Database& database) : database_(database) {}
    std::optional<std::string> get(const std::string& name);
    void set(const std::string& name, const std::string& value);

  private:
    Database& database_;
};

}  // namespace certmgr::store
