// What the tests of the flow share: Pebble, the responder, an account, and a journal that can crash.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>

#include "certmgr/acme/issue.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/net/curl_http_client.h"
#include "tests/support/pebble_server.h"
#include "tests/support/responder_process.h"

namespace acme_test {

using namespace certmgr;

// Passes requests on and counts them.
class CountingClient : public net::HttpClient {
  public:
    explicit CountingClient(std::string trustFile) : client_(std::move(trustFile)) {}
    net::HttpResponse send(const net::HttpRequest& request, std::stop_token stop) override {
        ++requests;
        return client_.send(request, std::move(stop));
    }
    std::atomic<int> requests{0};

  private:
    net::CurlHttpClient client_;
};

struct Crash : std::runtime_error {
    Crash() : std::runtime_error("crash") {}
};

// What is "on disk", and what a process that dies leaves of it: crashAt counts the durable steps; it dies
// before or after the step is on disk.
struct MemoryJournal : acme::OrderJournal {
    std::optional<std::string> url;
    bool sent = false;
    std::set<std::string> known;
    int lost = 0;
    std::string abandoned;
    std::vector<std::string> activities;
    int crashAt = -1;
    bool crashBefore = false;
    int steps = 0;

    std::optional<std::string> orderUrl() override { return url; }
    bool newOrderWasSent() override { return sent; }
    bool isKnownOrder(const std::string& order) override { return known.contains(order); }
    void sendingNewOrder(bool) override {
        step([&] { sent = true; });
    }
    void newOrderRefused() override {
        step([&] { sent = false; });
    }
    void orderLost(const std::string&) override {
        step([&] { ++lost, sent = false; });
    }
    void orderCreated(const std::string& order) override {
        step([&] { url = order; });
    }
    void orderAbandoned(const std::string& reason) override {
        step([&] { abandoned = reason; });
    }
    void activity(const std::string& sentence) override {
        step([&] { activities.push_back(sentence); });
    }

  private:
    template <class Store>
    void step(Store store) {
        const bool crash = steps++ == crashAt;
        if (crash && crashBefore) throw Crash();
        store();
        if (crash) throw Crash();
    }
};

struct Account {
    hal::Pkey key{EVP_EC_gen("P-256")};
    std::optional<std::string> url;
    int registrations = 0;
    std::vector<std::string> contacts{"mailto:a@gw.example"};
    bool contactsChanged = false;
};

hal::Pkey copyOf(EVP_PKEY* key);
acme::Request requestFor(const std::vector<std::string>& names, EVP_PKEY& key);

class World {
  public:
    explicit World(const testing_support::PebbleServer::Options& options = {})
        : pebble(options), responder(CERTMGR_RESPONDER, pebble.httpPort()), http(pebble.trustFile()) {}

    acme::CaSettings ca() const {
        return {"pebble", pebble.directory(), pebble.trustFile(), {"mailto:a@gw.example"}, true};
    }
    // A new process, so to speak: nothing but the account as stored.
    std::unique_ptr<acme::Session> session(net::HttpClient& client, const std::string& directory = "");
    std::unique_ptr<acme::Session> session() { return session(http); }
    std::string issue(acme::Session& session, const acme::Request& request, MemoryJournal& journal,
                      std::stop_token stop = {}) {
        return acme::issue(session, request, {{responder.solver()}}, journal, stop).chainPem;
    }
    // The orders for exactly these names that the account has at the server.
    int ordersFor(acme::Session& session, const acme::Request& request);
    bool challengesLeft() const { return !std::filesystem::is_empty(responder.directory()); }

    testing_support::PebbleServer pebble;
    testing_support::ResponderProcess responder;
    CountingClient http;
    Account account;
};

// Throws, or has the names and the key that were asked for.
void expectCertificate(const std::string& chain, const acme::Request& request, EVP_PKEY& key);

}  // namespace acme_test
