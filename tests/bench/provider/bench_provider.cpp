// Full handshakes per second of one nginx, with a key file of its own and with a reference to the same kind
// of key in keyd's files. Both are measured in alternation, in one run.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include "tests/integration/provider/key_daemon.h"
#include "tests/integration/provider/tls_client.h"
#include "tests/integration/provider/tls_site.h"

namespace {

using namespace provider_test;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 7;
constexpr int clientThreads = 4;
constexpr int workers = 2;
constexpr auto roundLength = std::chrono::milliseconds(1500);

double handshakesPerSecond(std::uint16_t port, const std::string& name) {
    std::atomic<int> good = 0;
    std::atomic<int> bad = 0;
    const Clock::time_point begin = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < clientThreads; ++i)
            threads.emplace_back([&] {
                const TlsClient client(TLS1_3_VERSION);
                while (Clock::now() < begin + roundLength) ++(client.shakeHands(port, name) ? good : bad);
            });
    }
    if (bad > 0) throw std::runtime_error(std::to_string(bad) + " handshakes with " + name + " failed");
    return good / std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void compare(TlsSite& site, const char* title, const std::string& file, const std::string& reference) {
    std::vector<double> withFile;
    std::vector<double> withReference;
    for (int round = 0; round < rounds; ++round) {
        withFile.push_back(handshakesPerSecond(site.port(), file));
        withReference.push_back(handshakesPerSecond(site.port(), reference));
    }
    const double ratio = median(withReference) / median(withFile) * 100;
    std::printf("%-10s %12.0f %12.0f %8.0f %%\n", title, median(withFile), median(withReference), ratio);
}

void run() {
    KeyDaemon daemon;
    TlsSite site(workers);
    const OpensslService openssl;
    const std::vector<std::string> users{"www-data"};
    site.add("ec-file.example", writePrivateKey(openssl.makeFileKey("EC")));
    site.add("ec-reference.example",
             daemon.makeReference(hal::KeyAlgorithm::ecP256, hal::KeyPolicy::file, users));
    site.add("rsa-file.example", writePrivateKey(openssl.makeFileKey("RSA")));
    site.add("rsa-reference.example",
             daemon.makeReference(hal::KeyAlgorithm::rsa2048, hal::KeyPolicy::file, users));
    site.start();
    std::printf("nginx, %d workers, TLS 1.3, full handshakes per second (median of %d rounds)\n", workers,
                rounds);
    std::printf("%-10s %12s %12s %10s\n", "key", "key file", "reference", "ratio");
    compare(site, "P-256", "ec-file.example", "ec-reference.example");
    compare(site, "RSA-2048", "rsa-file.example", "rsa-reference.example");
}

}  // namespace

int main() {
    try {
        run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_provider: %s\n", error.what());
        return 1;
    }
}
