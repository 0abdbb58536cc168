// What the flow sees of a Session: requests that are signed, paid for with a nonce, and answered with
// success.
#pragma once

#include <string>

#include "certmgr/acme/issue.h"
#include "certmgr/acme/nonce_pool.h"
#include "certmgr/acme/shared_value.h"
#include "certmgr/acme/wire/directory.h"

namespace certmgr::acme {

struct Session::Impl {
    Impl(CaSettings ca, AccountSettings account, hal::Pkey key, net::HttpClient& http);

    const std::string& caName() const { return ca_.name; }
    std::chrono::seconds patience() const { return ca_.patience; }
    wire::Directory directory(const std::stop_token& stop);
    std::string accountUrl(const std::stop_token& stop);  // registers the account where that was not done yet
    // The account that this key has at the server (RFC 8555 7.3.1); none is made.
    std::optional<std::string> existingAccount(const std::stop_token& stop);
    void changeKey(EVP_PKEY& next, const std::stop_token& stop);
    void deactivate(const std::stop_token& stop);
    void ensureNonce(const std::stop_token& stop);
    // What CAA records call the CA, as far as it is known; nothing is sent.
    std::vector<std::string> caaIdentities() {
        const std::optional<wire::Directory> read = directory_.known();
        return read && !read->caaIdentities.empty() ? read->caaIdentities : ca_.caaIdentities;
    }
    void forgetDirectory() { directory_.forget(); }

    // Without the account: for what RFC 9773 4.1 gives to everybody.
    net::HttpResponse get(const std::string& url, const std::stop_token& stop);
    // POST as the account; an empty payload makes it POST-as-GET (RFC 8555 6.3). `what` names the resource
    // for people.
    net::HttpResponse post(const std::string& url, const std::string& payload, const std::string& what,
                           const std::stop_token& stop);
    // POST by the key of a certificate, which stands for no account (RFC 8555 7.6).
    net::HttpResponse postBy(EVP_PKEY& key, const std::string& url, const std::string& payload,
                             const std::string& what, const std::stop_token& stop) {
        return signedPost(key, std::nullopt, url, payload, what, stop);
    }
    // RFC 8555 8.1
    std::string keyAuthorization(const std::string& token) const { return token + "." + thumbprint_; }

  private:
    std::string openAccount(const std::stop_token& stop);
    std::string registerAccount(const std::stop_token& stop);
    std::string newAccountPayload(const wire::Directory& directory, bool agreed) const;
    net::HttpResponse sendNewAccount(const wire::Directory& directory, bool agreed,
                                     const std::stop_token& stop);
    void sendContacts(const std::string& accountUrl, const std::stop_token& stop);
    std::string freshNonce(const std::stop_token& stop);
    net::HttpResponse signedPost(const std::optional<std::string>& kid, const std::string& url,
                                 const std::string& payload, const std::string& what,
                                 const std::stop_token& stop) {
        return signedPost(*key_, kid, url, payload, what, stop);
    }
    net::HttpResponse signedPost(EVP_PKEY& key, const std::optional<std::string>& kid, const std::string& url,
                                 const std::string& payload, const std::string& what,
                                 const std::stop_token& stop);

    const CaSettings ca_;
    const AccountSettings account_;
    const hal::Pkey key_;
    const std::string thumbprint_;
    net::HttpClient& http_;
    NoncePool nonces_;
    SharedValue<wire::Directory> directory_;
    std::optional<std::string> outdated_;  // the account that knows other contacts; of the one who opens it
    SharedValue<std::string> accountUrl_;
};

}  // namespace certmgr::acme
