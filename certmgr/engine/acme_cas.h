// The CAs of the settings: who is asked, by which account, over which session.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "certmgr/acme/issue.h"
#include "certmgr/core/clock.h"
#include "certmgr/engine/accounts.h"
#include "certmgr/engine/budget.h"
#include "certmgr/engine/key_ring.h"

namespace certmgr::engine {

// Who is asked, and how.
struct AcmeSettings {
    std::vector<acme::CaSettings> cas;       // in this order
    std::vector<acme::CaSettings> trialCas;  // those for tests beside them
    std::filesystem::path trustFile;         // of the box: knows the roots that a fingerprint may mean
    acme::PreflightSettings preflight;
};

// Thread-safe.
class AcmeCas {
  public:
    using HttpFactory = std::function<std::unique_ptr<net::HttpClient>(const acme::CaSettings&)>;
    // While it is held no account changes.
    using InUse = std::shared_lock<std::shared_timed_mutex>;

    AcmeCas(KeyRing& keys, Records& records, const Clock& clock, HttpFactory http, AcmeSettings settings,
            EventLog& log);

    const AcmeSettings& settings() const { return settings_; }
    // Error(rejected, "no-such-ca").
    const acme::CaSettings& named(const std::string& name) const;

    InUse use() { return InUse(inUse_); }
    // Registers the account, and settles which key it has, with the first request. The caller holds use().
    std::shared_ptr<acme::Session> sessionTo(const acme::CaSettings& ca, const std::stop_token& stop);

    std::vector<AcmeAccount> accounts();
    std::string accountUrl(const acme::CaSettings& ca) { return accounts_.view(ca).url; }  // empty: none yet
    // Each waits until nobody uses an account, and throws Error(rejected, "no-such-ca") or "no-account". They
    // return a sentence.
    std::string changeAccountKey(const std::string& ca, const std::stop_token& stop);
    std::string deactivateAccount(const std::string& ca, const std::stop_token& stop);

    // What CAA records and those of dns-persist-01 call it, as far as it is known.
    std::vector<std::string> caaIdentities(const acme::CaSettings& ca);
    // The same; where none is known its directory is asked for.
    std::vector<std::string> readCaaIdentities(const acme::CaSettings& ca, const std::stop_token& stop);

  private:
    struct Line {  // to one CA
        KeyId accountKey;
        std::unique_ptr<net::HttpClient> http;
        std::unique_ptr<acme::Session> session;
    };
    using Name = std::pair<std::string, std::string>;  // and directory

    std::unique_lock<std::shared_timed_mutex> alone(const std::stop_token& stop);
    void settleKey(const acme::CaSettings& ca, const std::stop_token& stop);
    std::shared_ptr<Line> newLine(const acme::CaSettings& ca);
    void hangUp(const acme::CaSettings& ca);

    KeyRing& keys_;
    Records& records_;
    Accounts accounts_;
    Budget budget_;
    const HttpFactory http_;
    const AcmeSettings settings_;
    std::shared_timed_mutex inUse_;
    std::mutex mutex_;
    std::map<Name, std::shared_ptr<Line>> lines_;
};

}  // namespace certmgr::engine
