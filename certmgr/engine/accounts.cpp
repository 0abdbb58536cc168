#include "certmgr/engine/accounts.h"

namespace certmgr::engine {
namespace {

std::string contactLines(const acme::CaSettings& ca) {
    std::string text;
    for (const std::string& contact : ca.contacts) text += contact + "\n";
    return text;
}

// The fact that holds which contacts the account was told.
std::string contactsFact(const acme::CaSettings& ca) {
    return "acme-contacts:" + ca.name + " " + ca.directory;
}

}  // namespace

// RFC 8555 6.2: an account is known by its key. Where that is gone, the URL leads to an account that nobody
// can speak for any more.
store::AccountRow Accounts::rowOf(const acme::CaSettings& ca) {
    std::optional<store::AccountRow> account = records_.accounts.find(ca.name, ca.directory);
    if (!account) {
        records_.database.transaction([&] {
            records_.accounts.intend(ca.name, ca.directory, keys_.intend("acme-account:" + ca.name));
        });
        account = records_.accounts.find(ca.name, ca.directory);
    }
    if (account->url.empty() || keys_.store().find(account->key)) return *account;
    log_.write({Severity::warning,
                event_id::accountLost,
                "the key of the account at " + ca.name +
                    " is no longer in the key store (a lost directory): another account takes its place",
                {{"CERTMGR_CA", ca.name}, {"CERTMGR_ACCOUNT", account->url}}});
    account->url.clear();
    records_.accounts.registered(ca.name, ca.directory, account->url);
    return *account;
}

// In a file, not in the TPM: a backup has to carry the account over to new hardware (features.md 8).
KeyId Accounts::makeKey(const acme::CaSettings& ca, const KeyId& id) {
    return keys_
        .obtain({id, hal::KeyAlgorithm::ecP256, hal::KeyPolicy::file, {}, "ACME account at " + ca.name})
        .id;
}

acme::AccountSettings Accounts::open(const acme::CaSettings& ca) {
    const store::AccountRow account = rowOf(ca);
    return {
        makeKey(ca, account.key),
        account.url.empty() ? std::nullopt : std::optional(account.url),
        [this, ca](const acme::Registration& registration) { registered(ca, registration); },
        records_.meta.get(contactsFact(ca)) != contactLines(ca),
        [this, ca](const std::string& terms) { records_.accounts.termsSeen(ca.name, ca.directory, terms); },
        [this, ca](const Error& why) {
            log_.write({Severity::warning,
                        event_id::contactsRefused,
                        ca.name + " goes on with the contacts that it had: " + why.what() +
                            "; see contacts in the settings of this CA",
                        {{"CERTMGR_CA", ca.name}}});
        }};
}

void Accounts::registered(const acme::CaSettings& ca, const acme::Registration& registration) {
    records_.database.transaction([&] {
        records_.accounts.registered(ca.name, ca.directory, registration.url);
        if (!registration.terms.empty())
            records_.accounts.termsAgreed(ca.name, ca.directory, registration.terms, clock_.now());
        if (!registration.externalKey.empty())
            records_.accounts.bound(ca.name, ca.directory, registration.externalKey);
        records_.meta.set(contactsFact(ca), contactLines(ca));
    });
}

AcmeAccount Accounts::view(const acme::CaSettings& ca) {
    AcmeAccount view;
    view.ca = ca.name;
    view.directory = ca.directory;
    view.forTests = ca.forTests;
    view.contacts = ca.contacts;
    if (const auto row = records_.accounts.find(ca.name, ca.directory)) {
        view.url = row->url;
        view.externalKey = row->externalKey;
        view.terms = row->terms;
        view.termsAgreed = row->termsAgreed;
        view.termsAgreedAt = row->termsAgreedAt;
    }
    return view;
}

store::AccountRow Accounts::existing(const acme::CaSettings& ca) {
    const auto row = records_.accounts.find(ca.name, ca.directory);
    if (row && !row->url.empty()) return *row;
    throw Error(ErrorKind::rejected, "no-account",
                "there is no account at " + ca.name + "; the first order there makes one");
}

KeyId Accounts::makeNextKey(const acme::CaSettings& ca) {
    KeyId next;
    records_.database.transaction([&] {
        next = keys_.intend("acme-account:" + ca.name);
        records_.accounts.intendNextKey(ca.name, ca.directory, next);
    });
    return makeKey(ca, next);
}

void Accounts::settleKey(const acme::CaSettings& ca, const KeyId& key) {
    const store::AccountRow row = records_.accounts.find(ca.name, ca.directory).value();
    records_.accounts.settleKey(ca.name, ca.directory, key);
    keys_.discard(key == row.key ? row.nextKey.value() : row.key);
}

std::optional<store::AccountRow> Accounts::unsettled(const acme::CaSettings& ca) {
    const auto row = records_.accounts.find(ca.name, ca.directory);
    return row && row->nextKey ? row : std::nullopt;
}

void Accounts::forget(const acme::CaSettings& ca) {
    const store::AccountRow row = existing(ca);
    records_.accounts.remove(ca.name, ca.directory);
    keys_.discard(row.key);
}

}  // namespace certmgr::engine
