#include "certmgr/acme/session.h"

#include <utility>

#include "certmgr/acme/response.h"
#include "certmgr/acme/wire/account.h"
#include "certmgr/acme/wire/json.h"
#include "certmgr/core/secret_file.h"
#include "certmgr/crypto/jws.h"

namespace certmgr::acme {
namespace {

using net::HttpRequest;
using net::HttpResponse;

// A test server that rejects nine good nonces of ten is got through with a probability of 0.99997.
constexpr int maxNonceRetries = 100;
constexpr int quickNonceRetries = 10;
constexpr std::chrono::milliseconds slowNonceRetry{100};

std::string decodedSecret(const std::filesystem::path& file) {
    std::string text = readSecret(file);
    while (text.ends_with('=')) text.pop_back();
    if (const std::optional<std::string> octets = crypto::base64urlDecode(text)) return *octets;
    throw Error(ErrorKind::misconfigured, "bad-secret-file",
                file.string() + ": expected the HMAC key in base64url, as the CA's web site gives it");
}

}  // namespace

Session::Session(CaSettings ca, AccountSettings account, hal::Pkey accountKey, net::HttpClient& http)
    : impl_(std::make_unique<Impl>(std::move(ca), std::move(account), std::move(accountKey), http)) {}

Session::~Session() = default;

Session::Impl::Impl(CaSettings ca, AccountSettings account, hal::Pkey key, net::HttpClient& http)
    : ca_(std::move(ca)),
      account_(std::move(account)),
      key_(std::move(key)),
      thumbprint_(crypto::jwkThumbprint(*key_)),
      http_(http),
      outdated_(account_.contactsChanged ? account_.url : std::nullopt),
      accountUrl_(outdated_ ? std::nullopt : account_.url) {}

wire::Directory Session::Impl::directory(const std::stop_token& stop) {
    return directory_.get(stop, [&] {
        const HttpResponse response = http_.send({HttpRequest::Method::get, ca_.directory, "", ""}, stop);
        requireType(response, "application/json", "the directory");
        wire::Directory directory = wire::parseDirectory(response.body);
        if (account_.termsSeen) account_.termsSeen(directory.termsOfService);
        return directory;
    });
}

std::string Session::Impl::accountUrl(const std::stop_token& stop) {
    return accountUrl_.get(stop, [&] { return openAccount(stop); });
}

std::string Session::Impl::openAccount(const std::stop_token& stop) {
    if (!outdated_) return registerAccount(stop);
    try {
        sendContacts(*outdated_, stop);
        if (account_.registered) account_.registered({*outdated_});
        return *std::exchange(outdated_, std::nullopt);
    } catch (const Error& error) {
        if (!isProblem(error, "accountDoesNotExist")) throw;
        outdated_.reset();
        return registerAccount(stop);
    }
}

// RFC 8555 7.3.2
void Session::Impl::sendContacts(const std::string& accountUrl, const std::stop_token& stop) {
    try {
        signedPost(accountUrl, accountUrl, wire::contactsPayload(ca_.contacts), "the account's contacts",
                   stop);
    } catch (const Error& error) {
        if (!isProblem(error, "invalidContact") && !isProblem(error, "unsupportedContact")) throw;
        if (account_.contactsRefused) account_.contactsRefused(error);
    }
}

// RFC 8555 7.3.4: the key of the account, signed with the one that the CA gave its customer.
std::string Session::Impl::newAccountPayload(const wire::Directory& directory, bool agreed) const {
    if (ca_.externalKeyId.empty()) return wire::newAccountPayload(ca_.contacts, agreed);
    const std::string secret = decodedSecret(ca_.externalKeyFile);
    return wire::newAccountPayload(
        ca_.contacts, agreed,
        crypto::signJwsWithSecret(secret, {directory.newAccount, "", ca_.externalKeyId}, crypto::jwk(*key_)));
}

HttpResponse Session::Impl::sendNewAccount(const wire::Directory& directory, bool agreed,
                                           const std::stop_token& stop) {
    try {
        return signedPost(std::nullopt, directory.newAccount, newAccountPayload(directory, agreed),
                          "newAccount", stop);
    } catch (const Error& error) {
        if (ca_.externalKeyId.empty() || error.kind() != ErrorKind::rejected) throw;
        Error refused(ErrorKind::misconfigured, "external-account-refused",
                      std::string(error.what()) +
                          "; compare eab_key_id and eab_key_file of this CA with what its web site gives, "
                          "and see whether that was used before");
        refused.problem(error.problem());
        throw refused;
    }
}

// RFC 8555 7.3: the server answers 200 and the URL of the account that has this key, or makes one and answers
// 201.
std::string Session::Impl::registerAccount(const std::stop_token& stop) {
    const wire::Directory directory = this->directory(stop);
    if (!directory.termsOfService.empty() && !ca_.termsAgreed)
        throw Error(ErrorKind::misconfigured, "terms-not-agreed",
                    "the CA asks to agree to its terms of service: read " + directory.termsOfService +
                        " and say so in the settings of this CA");
    if (directory.externalAccountRequired && ca_.externalKeyId.empty())
        throw Error(ErrorKind::misconfigured, "external-account-required",
                    "the CA takes only accounts that are bound to one of its customers (RFC 8555 7.3.4): "
                    "set eab_key_id and eab_key_file of this CA as its web site gives them");
    const bool agreed = ca_.termsAgreed && !directory.termsOfService.empty();
    const HttpResponse response = sendNewAccount(directory, agreed, stop);
    const std::string url = response.header("location").value_or("");
    if (!wire::isHttpsUrl(url))
        throw Error(ErrorKind::misconfigured, "not-acme",
                    "newAccount: expected the https URL of the account as Location");
    // RFC 8555 7.3.1: an account that was there already is returned as it is, whatever the request said.
    if (response.status == 200) sendContacts(url, stop);
    if (account_.registered)
        account_.registered({url, agreed ? directory.termsOfService : "", ca_.externalKeyId});
    return url;
}

std::optional<std::string> Session::Impl::existingAccount(const std::stop_token& stop) {
    try {
        const HttpResponse response =
            signedPost(std::nullopt, directory(stop).newAccount, wire::existingAccountPayload(),
                       "the look for the account", stop);
        return response.header("location");
    } catch (const Error& error) {
        if (!isProblem(error, "accountDoesNotExist")) throw;
        return std::nullopt;
    }
}

// RFC 8555 7.3.5: both keys sign, the new one inside, without a nonce.
void Session::Impl::changeKey(EVP_PKEY& next, const std::stop_token& stop) {
    const std::optional<std::string> url = directory(stop).keyChange;
    if (!url)
        throw Error(ErrorKind::rejected, "not-offered",
                    "the directory of the CA has no keyChange: it lets nobody change the key of an account");
    const std::string account = accountUrl(stop);
    const std::string inner =
        crypto::signJws(next, {*url, "", std::nullopt}, wire::keyChangePayload(account, crypto::jwk(*key_)));
    const std::string what = "the change of the account's key";
    requireNonce(signedPost(account, *url, inner, what, stop), what);
}

// RFC 8555 7.3.6: to a deactivated account the answer is "unauthorized" whatever it asks for.
void Session::Impl::deactivate(const std::stop_token& stop) {
    const std::string account = accountUrl(stop);
    try {
        const std::string what = "the account's deactivation";
        requireNonce(signedPost(account, account, wire::deactivationPayload(), what, stop), what);
    } catch (const Error& error) {
        if (!isProblem(error, "unauthorized") && !isProblem(error, "accountDoesNotExist")) throw;
    }
}

std::string Session::Impl::freshNonce(const std::stop_token& stop) {
    if (std::optional<std::string> nonce = nonces_.take()) return *std::move(nonce);
    const HttpResponse response =
        http_.send({HttpRequest::Method::head, directory(stop).newNonce, "", ""}, stop);
    requireSuccess(response, "newNonce");
    if (std::optional<std::string> nonce = NoncePool::nonceOf(response)) return *std::move(nonce);
    throw Error(ErrorKind::misconfigured, "not-acme", "newNonce: expected a Replay-Nonce, found none");
}

void Session::Impl::ensureNonce(const std::stop_token& stop) {
    nonces_.put(freshNonce(stop));
}

HttpResponse Session::Impl::get(const std::string& url, const std::stop_token& stop) {
    return http_.send({HttpRequest::Method::get, url, "", ""}, stop);
}

HttpResponse Session::Impl::post(const std::string& url, const std::string& payload, const std::string& what,
                                 const std::stop_token& stop) {
    try {
        return signedPost(accountUrl(stop), url, payload, what, stop);
    } catch (const Error& error) {
        // RFC 8555 7.3.3: there are new terms; the directory tells their URL.
        if (isProblem(error, "userActionRequired")) {
            directory_.forget();
            directory(stop);
        }
        // The CA forgot the account, or the stored URL is stale. The key finds it again, or makes it anew.
        if (!isProblem(error, "accountDoesNotExist")) throw;
        accountUrl_.forget();
        return signedPost(accountUrl(stop), url, payload, what, stop);
    }
}

HttpResponse Session::Impl::signedPost(EVP_PKEY& key, const std::optional<std::string>& kid,
                                       const std::string& url, const std::string& payload,
                                       const std::string& what, const std::stop_token& stop) {
    std::string nonce = freshNonce(stop);
    for (int retries = 0;; ++retries) {
        const HttpResponse response =
            http_.send({HttpRequest::Method::post, url, "application/jose+json",
                        crypto::signJws(key, {url, std::move(nonce), kid}, payload)},
                       stop);
        std::optional<std::string> next = NoncePool::nonceOf(response);
        try {
            requireSuccess(response, what);
            if (next) nonces_.put(*std::move(next));
            return response;
        } catch (const Error& error) {
            // A nonce is good for one request: the first copy got through. A POST-as-GET (6.3) harms nothing.
            if (response.sentAgain && !payload.empty() && isProblem(error, "badNonce"))
                throw Error(
                    ErrorKind::transient, "answer-lost",
                    what + ": the connection ended before the answer, and the CA has seen the request");
            if (!isProblem(error, "badNonce") || retries == maxNonceRetries) {
                if (next) nonces_.put(*std::move(next));
                throw;
            }
        }
        // RFC 8555 6.5: "An error response with the "badNonce" error type MUST include a Replay-Nonce".
        nonce = next ? *std::move(next) : freshNonce(stop);
        if (retries >= quickNonceRetries) pause(slowNonceRetry, stop);
    }
}

}  // namespace certmgr::acme
