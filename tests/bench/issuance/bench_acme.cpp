// What an ACME server gives to a client that does nothing else: the flow alone, with keys in memory, nothing
// stored and nothing deployed. Prints orders per second.
//   bench_acme DIRECTORY TRUST_FILE CHALLENGE_FOLDER ORDERS THREADS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include <openssl/ec.h>

#include "certmgr/acme/issue.h"
#include "certmgr/acme/solvers/webroot_solver.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/net/curl_http_client.h"

namespace {

using namespace certmgr;

class ForgetfulJournal : public acme::OrderJournal {
  public:
    std::optional<std::string> orderUrl() override { return std::nullopt; }
    bool newOrderWasSent() override { return false; }
    bool isKnownOrder(const std::string&) override { return false; }
    void sendingNewOrder(bool) override {}
    void newOrderRefused() override {}
    void orderLost(const std::string&) override {}
    void orderCreated(const std::string&) override {}
    void orderAbandoned(const std::string&) override {}
    void activity(const std::string&) override {}
};

void issueOne(acme::Session& session, acme::Solver& solver, int number) {
    const hal::Pkey key(EVP_EC_gen("P-256"));
    acme::Request request;
    request.names = {{Identifier::Type::dns, "bare-" + std::to_string(number) + ".example.com"}};
    request.csr = crypto::buildCsr(*key, crypto::publicKeyInfoOf(*key), request.names);
    ForgetfulJournal journal;
    acme::issue(session, request, {{solver}}, journal, {});
}

double ordersPerSecond(char** arguments) {
    const int orders = std::stoi(arguments[4]);
    const int threads = std::stoi(arguments[5]);
    net::CurlHttpClient http(arguments[2]);
    acme::WebrootSolver solver(arguments[3]);
    acme::Session session({"bench", arguments[1], arguments[2], {"mailto:admin@example.com"}, true},
                          {KeyId::fresh(), std::nullopt, [](const acme::Registration&) {}},
                          hal::Pkey(EVP_EC_gen("P-256")), http);
    issueOne(session, solver, 0);  // registers the account

    std::atomic<int> next = 1;
    const auto start = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < threads; ++i)
            workers.emplace_back([&] {
                for (int number; (number = next++) <= orders;) issueOne(session, solver, number);
            });
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return orders / took.count();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs("usage: bench_acme DIRECTORY TRUST_FILE CHALLENGE_FOLDER ORDERS THREADS\n", stderr);
        return 2;
    }
    try {
        std::printf("%.1f\n", ordersPerSecond(argv));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_acme: %s\n", error.what());
        return 1;
    }
}
