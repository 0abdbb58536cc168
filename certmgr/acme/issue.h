// RFC 8555 from the directory to the certificate, as one call that can be entered again.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/preflight_settings.h"
#include "certmgr/acme/solver.h"
#include "certmgr/core/certificate.h"
#include "certmgr/core/chain_choice.h"
#include "certmgr/core/rate_budget.h"
#include "certmgr/net/http_client.h"

namespace certmgr::acme {

// One certification authority, from the settings.
struct CaSettings {
    std::string name;                   // "letsencrypt"; [a-z0-9-]+
    std::string directory;              // https URL
    std::string trustFile;              // PEM bundle that the server is verified against; empty: the system's
    std::vector<std::string> contacts;  // "mailto:…"
    bool termsAgreed = false;
    bool forTests = false;            // its certificates are trusted by nobody
    AcmeProfile profile = {};         // for certificates that name none themselves
    AcmeProfile addressProfile = {};  // likewise, for those with an address among their names
    std::string preferredChain = {};  // likewise
    std::string staging = {};         // name of the one for tests beside it; empty: none
    // By which CAA records allow it (RFC 8659 4.2), where its directory does not say or was not read; may be
    // empty.
    std::vector<std::string> caaIdentities = {};
    // What binds a new account to one that the CA knows already (RFC 8555 7.3.4); empty: nothing.
    std::string externalKeyId = {};
    std::filesystem::path externalKeyFile = {};  // with the HMAC key in base64url, see readSecret()
    std::vector<RateLimit> limits = {};          // at most one of a kind
    std::chrono::seconds answerLimit{60};        // for one answer, whole
    // For one run with an authorization or an order that does not come to its end; then the order is left for
    // the next run, so that those that hang hold up no others.
    std::chrono::seconds patience{900};
};

// The steps that must be on disk before the next one is taken. Called on the thread that runs issue().
class OrderJournal {
  public:
    virtual ~OrderJournal() = default;
    // What an earlier run stored.
    virtual std::optional<std::string> orderUrl() = 0;
    virtual bool newOrderWasSent() = 0;
    // Whether some intent of ours owns this order.
    virtual bool isKnownOrder(const std::string& url) = 0;
    // URLs of orders for these names at this CA that were given up while their keys are kept: the CA may have
    // come to a certificate since.
    virtual std::vector<std::string> ordersGivenUp() { return {}; }
    // Makes the key of a certificate that the CA has for these names the intent's, durably when it returns.
    // False: it is no key of ours or of the kind that is wanted, it was revoked, or something else uses it;
    // then the intent keeps its own.
    virtual bool takeKeyOf(const std::string& /*chainPem*/) { return false; }

    // Durable when they return:
    // `replaces`: it says which certificate it follows. What this throws keeps it from being sent.
    virtual void sendingNewOrder(bool replaces) = 0;
    // Its answer was a problem, or asked to wait: no order exists, newOrderWasSent() is false again.
    virtual void newOrderRefused() = 0;
    // No answer told what came of it, nor does the server's list of orders.
    virtual void orderLost(const std::string& explanation) = 0;
    virtual void orderCreated(const std::string& url) = 0;
    // Invalid, expired or of no use: a new intent is due.
    virtual void orderAbandoned(const std::string& reason) = 0;
    // Durable with the order's end.
    virtual void authorizationFailed(const Identifier& /*name*/) {}
    // Durable when it returns: the CA has taken this proof of the name. `preferred`: Choice::preferred.
    virtual void authorizationProved(const Identifier& /*name*/, ChallengeKind /*kind*/,
                                     std::optional<bool> /*preferred*/) {}

    // For people, "waiting for authorization of gw.example"; not durable.
    virtual void activity(const std::string& sentence) = 0;
};

// What came of newAccount, or of an account's update. Empty: as it was before.
struct Registration {
    std::string url;
    std::string terms = {};        // URL of what was agreed to with it
    std::string externalKey = {};  // id of the key that bound it
};

// An account at one CA. Durable parts through the callbacks, so that a second run re-uses it.
struct AccountSettings {
    KeyId key;                       // made already
    std::optional<std::string> url;  // known from an earlier run
    // Must store durably, before it returns, that this account exists and was told these contacts.
    std::function<void(const Registration&)> registered;
    bool contactsChanged = false;  // since the account at `url` was told of them
    // URL of what the CA asks to agree to, each time its directory is read; empty: nothing.
    std::function<void(const std::string& terms)> termsSeen = {};
    // The CA takes others than these contacts. That ends neither the account nor what it was to do.
    std::function<void(const Error& why)> contactsRefused = {};
};

// One CA with one account: holds the directory, a pool of nonces and the account URL; shared by all orders
// that run at once. Thread-safe. The first caller registers the account, the others wait for it.
class Session {
  public:
    // `accountKey` must outlive the session; it signs each request.
    Session(CaSettings ca, AccountSettings account, hal::Pkey accountKey, net::HttpClient& http);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    struct Impl;
    Impl& impl() { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

struct Request {
    std::vector<Identifier> names;
    hal::Bytes csr;  // DER; the same key in every run of the same intent
    // crypto::renewalIdOf() the certificate of this CA that the new one follows; empty: none. Told to a CA
    // that gives renewal information (RFC 9773 5), unless the run before asked for an order and saw none.
    std::string replaces = {};
    AcmeProfile profile = {};
    // Asked when there is a chain to choose, since the time tells which are valid; empty: the first that is.
    std::function<ChainWish()> chain = {};
    PreflightSettings preflight = {};  // before a new order is placed
};

struct Issued {
    std::string chainPem;       // leaf first, as the CA sent it: nothing but its dates was looked at
    std::string chainReason;    // why this one
    std::string profile;        // under which it was ordered; empty: none, or it is not known
    std::string profileReason;  // why not under the one that was wanted; empty: it was
};

// Runs the order to its end. Enters wherever the journal says an earlier run got to. Waits by Retry-After;
// ends with Error("cancelled") soon after stop is requested, with everything needed to go on in the journal.
// Errors: rejected (a problem of the CA, kept whole in Error::problem; invalid authorizations name the
// identifier and the CA's words), rateLimited with retryAt, transient (network, 5xx), misconfigured (terms
// not agreed, a profile that is required and not offered, not an ACME server, TLS).
Issued issue(Session& session, const Request& request, const Solvers& solvers, OrderJournal& journal,
             std::stop_token stop);

}  // namespace certmgr::acme
