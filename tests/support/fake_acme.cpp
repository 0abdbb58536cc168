#include "tests/support/fake_acme.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>
#include <openssl/ec.h>

#include "certmgr/crypto/jws.h"

namespace testing_support {
namespace {

using certmgr::net::HttpRequest;
using certmgr::net::HttpResponse;
using nlohmann::json;

hal::Bytes publicKeyOf(EVP_PKEY& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(&key, &der);
    hal::Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

json payloadOf(const HttpRequest& request) {
    const json jws = json::parse(request.body);
    const std::string payload =
        certmgr::crypto::base64urlDecode(jws.at("payload").get<std::string>()).value();
    return payload.empty() ? json() : json::parse(payload);
}

constexpr const char* base = "https://acme.test";

}  // namespace

FakeAcme::FakeAcme(const certmgr::Clock& clock, certmgr::seconds lifetime)
    : clock_(clock), lifetime_(lifetime), caKey_(EVP_EC_gen("P-256")) {
    const certmgr::TimePoint now = clock.now();
    ca_ = certmgr::crypto::buildCa(
        {"fake ACME CA", "", now - std::chrono::hours(1), now + std::chrono::hours(24 * 365 * 20), 0},
        publicKeyOf(*caKey_), nullptr, *caKey_);
}

void FakeAcme::setDown(bool down) {
    const std::lock_guard lock(mutex_);
    down_ = down;
}

std::string FakeAcme::orderUrl(int number) {
    return std::string(base) + "/order/" + std::to_string(number);
}

void FakeAcme::loseNextOrder() {
    const std::lock_guard lock(mutex_);
    losing_ = true;
}

void FakeAcme::setRefusing(bool refuse) {
    const std::lock_guard lock(mutex_);
    refusing_ = refuse;
}

void FakeAcme::setAhead(certmgr::seconds ahead) {
    const std::lock_guard lock(mutex_);
    ahead_ = ahead;
}

void FakeAcme::suggestRenewal(std::optional<certmgr::RenewalWindow> window) {
    const std::lock_guard lock(mutex_);
    window_ = window;
}

void FakeAcme::offerProfiles(std::map<std::string, certmgr::seconds> lifetimes) {
    const std::lock_guard lock(mutex_);
    profiles_ = std::move(lifetimes);
}

void FakeAcme::setRefusingProfiles(bool refuse) {
    const std::lock_guard lock(mutex_);
    refusingProfiles_ = refuse;
}

std::vector<std::string> FakeAcme::profilesAsked() const {
    const std::lock_guard lock(mutex_);
    return profilesAsked_;
}

void FakeAcme::giveChains(const std::vector<CrossSigned>& chains) {
    const std::lock_guard lock(mutex_);
    const certmgr::TimePoint begin = clock_.now() - std::chrono::hours(24);
    upperPems_.clear();
    for (const CrossSigned& chain : chains) {
        const hal::Pkey rootKey(EVP_EC_gen("P-256"));
        const auto root = certmgr::crypto::buildCa({chain.root.empty() ? "unread" : chain.root, "", begin,
                                                    begin + std::chrono::hours(24 * 365 * 20), std::nullopt},
                                                   publicKeyOf(*rootKey), nullptr, *rootKey);
        const auto cross = certmgr::crypto::buildCrossCertificate(*ca_, begin, chain.end, *root, *rootKey);
        upperPems_.push_back(chain.root.empty() ? "" : certmgr::crypto::toPem(*cross));
    }
}

void FakeAcme::setMixingCertificates(bool mix) {
    const std::lock_guard lock(mutex_);
    mixing_ = mix;
}

void FakeAcme::setSendingLeavesAlone(bool alone) {
    const std::lock_guard lock(mutex_);
    alone_ = alone;
}

std::string FakeAcme::rootPem() const {
    const std::lock_guard lock(mutex_);
    return certmgr::crypto::toPem(*ca_);
}

int FakeAcme::chainsAsked() const {
    const std::lock_guard lock(mutex_);
    return chainsAsked_;
}

void FakeAcme::failRenewalQueries(int status) {
    const std::lock_guard lock(mutex_);
    renewalStatus_ = status;
}

void FakeAcme::setRefusingReplaces(const std::string& problem) {
    const std::lock_guard lock(mutex_);
    replacesProblem_ = problem;
}

void FakeAcme::refuseOrders(const Refusal& refusal) {
    const std::lock_guard lock(mutex_);
    refusal_ = refusal;
}

void FakeAcme::answerAt(const std::string& path, const std::optional<HttpResponse>& answer) {
    const std::lock_guard lock(mutex_);
    answersAt_.erase(path);
    if (answer) answersAt_.emplace(path, *answer);
}

void FakeAcme::setListingOrders(bool list) {
    const std::lock_guard lock(mutex_);
    listing_ = list;
}

int FakeAcme::renewalQueries() const {
    const std::lock_guard lock(mutex_);
    return renewalQueries_;
}

std::vector<std::string> FakeAcme::replaced() const {
    const std::lock_guard lock(mutex_);
    return replaced_;
}

void FakeAcme::setRefusingRevocations(bool refuse) {
    const std::lock_guard lock(mutex_);
    refusingRevocations_ = refuse;
}

std::vector<std::string> FakeAcme::revoked() const {
    const std::lock_guard lock(mutex_);
    return revoked_;
}

int FakeAcme::ordersMade() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(orders_.size());
}

int FakeAcme::accountsMade() const {
    const std::lock_guard lock(mutex_);
    return accounts_;
}

std::vector<std::string> FakeAcme::contacts() const {
    const std::lock_guard lock(mutex_);
    return contacts_;
}

int FakeAcme::contactUpdates() const {
    const std::lock_guard lock(mutex_);
    return contactUpdates_;
}

HttpResponse FakeAcme::orderAnswer(int status, std::size_t number, const Order& order) {
    const std::string url = std::string(base) + "/order/" + std::to_string(number);
    json identifiers = json::array();
    for (const std::string& name : order.names) identifiers.push_back({{"type", "dns"}, {"value", name}});
    json body{{"status", order.chainPem.empty() ? "ready" : "valid"},
              {"identifiers", identifiers},
              {"authorizations", json::array()},
              {"finalize", url + "/finalize"}};
    if (!order.profile.empty()) body["profile"] = order.profile;
    if (!order.chainPem.empty()) body["certificate"] = url + "/certificate";
    return {status, {{"location", url}, {"content-type", "application/json"}}, body.dump()};
}

std::string FakeAcme::issue(const Order& order, const std::string& csrDer) {
    const auto* data = reinterpret_cast<const unsigned char*>(csrDer.data());
    const hal::X509ReqPtr request(d2i_X509_REQ(nullptr, &data, static_cast<long>(csrDer.size())));
    std::vector<certmgr::Identifier> names;
    for (const std::string& name : order.names) names.push_back(certmgr::parseIdentifier(name));
    const certmgr::TimePoint now = clock_.now() + ahead_;
    const auto profile = profiles_.find(order.profile);
    const certmgr::seconds lifetime = profile == profiles_.end() ? lifetime_ : profile->second;
    const auto leaf =
        certmgr::crypto::buildServerLeaf({names, now - std::chrono::hours(1), now + lifetime},
                                         publicKeyOf(*X509_REQ_get0_pubkey(request.get())), *ca_, *caKey_);
    return certmgr::crypto::toPem(*leaf) + certmgr::crypto::toPem(*ca_);
}

// RFC 8555 7.4.2
HttpResponse FakeAcme::certificateAnswer(const Order& order, const std::string& url, std::size_t number) {
    ++chainsAsked_;
    HttpResponse response{200, {{"content-type", "application/pem-certificate-chain"}}, order.chainPem};
    const std::string end = "-----END CERTIFICATE-----\n";
    if (alone_) response.body.erase(response.body.find(end) + end.size());
    if (upperPems_.empty()) return response;
    const std::string leaf = (mixing_ && number > 0 ? issue(order, order.csrDer) : order.chainPem);
    response.body = upperPems_.at(number).empty()
                        ? "no PEM"
                        : leaf.substr(0, leaf.find(end) + end.size()) + upperPems_[number];
    for (std::size_t other = 0; other < upperPems_.size(); ++other)
        if (other != number)
            response.headers.emplace(
                "link", "<" + std::string(base) + url + "/" + std::to_string(other) + ">;rel=\"alternate\"");
    return response;
}

HttpResponse FakeAcme::problem(int status, const std::string& error, const std::string& detail) {
    return {
        status,
        {{"content-type", "application/problem+json"}, {"replay-nonce", "nonce" + std::to_string(++nonces_)}},
        json{{"type", "urn:ietf:params:acme:error:" + error}, {"detail", detail}}.dump()};
}

HttpResponse FakeAcme::revoke(const HttpRequest& request) {
    if (refusingRevocations_)
        return {403,
                {{"content-type", "application/problem+json"}},
                json{{"type", "urn:ietf:params:acme:error:unauthorized"}, {"detail", "not yours"}}.dump()};
    const json payload = payloadOf(request);
    const std::string der =
        certmgr::crypto::base64urlDecode(payload.at("certificate").get<std::string>()).value();
    const auto* data = reinterpret_cast<const unsigned char*>(der.data());
    const hal::X509Ptr certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
    revoked_.push_back(certmgr::crypto::summarize(*certificate).serial + " " +
                       std::to_string(payload.at("reason").get<int>()));
    return {200, {}, ""};
}

HttpResponse FakeAcme::answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    if (down_)
        throw certmgr::Error(certmgr::ErrorKind::transient, "http-unreachable",
                             "acme.test: connection refused");
    const std::string path = request.url.substr(std::string(base).size());
    HttpResponse response{200, {{"content-type", "application/json"}}, "{}"};
    if (const auto instead = answersAt_.find(path); instead != answersAt_.end()) {
        response = instead->second;
    } else if (path.ends_with("/directory")) {
        json resources{{"newNonce", std::string(base) + "/nonce"},
                       {"newAccount", std::string(base) + "/account"},
                       {"newOrder", std::string(base) + "/new-order"},
                       {"revokeCert", std::string(base) + "/revoke"},
                       {"keyChange", std::string(base) + "/key-change"}};
        if (window_) resources["renewalInfo"] = std::string(base) + "/renewal-info";
        for (const auto& [name, lifetime] : profiles_) resources["meta"]["profiles"][name] = "a profile";
        response.body = resources.dump();
    } else if (path.starts_with("/renewal-info/")) {
        ++renewalQueries_;
        if (renewalStatus_ != 0) return {renewalStatus_, {}, ""};
        response.headers.emplace("retry-after", "21600");
        response.body = json{
            {"suggestedWindow",
             {{"start", certmgr::formatTime(window_->start)}, {"end", certmgr::formatTime(window_->end)}}},
            {"explanationURL",
             std::string(base) +
                 "/why"}}.dump();
    } else if (path == "/account") {
        ++accounts_;
        contacts_ = payloadOf(request).value("contact", contacts_);
        response = {201,
                    {{"location", std::string(base) + "/account/1"}, {"content-type", "application/json"}},
                    json{{"status", "valid"}}.dump()};
    } else if (path == "/account/1") {
        if (const json payload = payloadOf(request); payload.contains("contact")) {
            contacts_ = payload.at("contact").get<std::vector<std::string>>();
            ++contactUpdates_;
        }
        json account{{"status", "valid"}};
        if (listing_) account["orders"] = std::string(base) + "/account/1/orders";
        response.body = account.dump();
    } else if (path == "/account/1/orders") {
        json urls = json::array();
        for (std::size_t number = 0; number < orders_.size(); ++number)
            urls.push_back(std::string(base) + "/order/" + std::to_string(number));
        response.body = json{{"orders", urls}}.dump();
    } else if (path == "/revoke") {
        response = revoke(request);
    } else if (path == "/new-order") {
        Order order;
        const json payload = payloadOf(request);
        for (const json& identifier : payload.at("identifiers"))
            order.names.push_back(identifier.at("value"));
        order.profile = payload.value("profile", "");
        profilesAsked_.push_back(order.profile);
        const bool meant = refusal_.name.empty() || std::ranges::count(order.names, refusal_.name) > 0;
        if (!refusal_.problem.empty() && meant) {
            HttpResponse refused = problem(refusal_.status, refusal_.problem, refusal_.detail);
            if (refusal_.retryAfter > 0)
                refused.headers.emplace("retry-after", std::to_string(refusal_.retryAfter));
            return refused;
        }
        if (refusingProfiles_ && !order.profile.empty()) return problem(400, "invalidProfile", "not for you");
        if (!replacesProblem_.empty() && payload.contains("replaces"))
            return problem(replacesProblem_ == "alreadyReplaced"  ? 409
                           : replacesProblem_ == "serverInternal" ? 500
                                                                  : 400,
                           replacesProblem_, "not that one");
        replaced_.push_back(payload.value("replaces", ""));
        orders_.push_back(order);
        if (std::exchange(losing_, false))
            throw certmgr::Error(certmgr::ErrorKind::transient, "http-unreachable",
                                 "acme.test: the connection broke off");
        response = orderAnswer(201, orders_.size() - 1, order);
    } else if (refusing_ && path.ends_with("/finalize")) {
        return problem(403, "badCSR", "not today");
    } else if (path.starts_with("/order/")) {
        const std::size_t number = std::stoul(path.substr(7));
        Order& order = orders_.at(number);
        if (const std::size_t end = path.find("/certificate"); end != std::string::npos) {
            const std::string resource = path.substr(0, end + std::string("/certificate").size());
            const std::string alternate = path.substr(resource.size());
            response =
                certificateAnswer(order, resource, alternate.empty() ? 0 : std::stoul(alternate.substr(1)));
        } else {
            if (path.ends_with("/finalize")) {
                order.csrDer =
                    certmgr::crypto::base64urlDecode(payloadOf(request).at("csr").get<std::string>()).value();
                order.chainPem = issue(order, order.csrDer);
            }
            response = orderAnswer(200, number, order);
        }
    }
    response.headers.emplace("replay-nonce", "nonce" + std::to_string(++nonces_));
    return response;
}

}  // namespace testing_support
