// Full handshakes per second of one nginx, with a key file of its own and with a reference to the same kind
// of key in keyd's files. Both are measured in alternation, in one run.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

#include <unistd.h>

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

struct Sample {
    double perSecond = 0;
    double cpuMilliseconds = 0;  // of nginx and keyd, a handshake
};

double cpuMillisecondsOf(pid_t process) {
    const std::string stat = testing_support::readFile("/proc/" + std::to_string(process) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::vector<std::string> values{std::istream_iterator<std::string>(fields), {}};
    const double ticks = std::stod(values.at(11)) + std::stod(values.at(12));  // utime and stime, proc(5)
    return ticks * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Bench {
  public:
    void run();

  private:
    double cpuMilliseconds() {
        double sum = cpuMillisecondsOf(daemon_.server().pid());
        for (const pid_t worker : site_.nginx().workers()) sum += cpuMillisecondsOf(worker);
        return sum;
    }
    Sample measure(const std::string& name);
    void compare(const char* title, const std::string& file, const std::string& reference);

    KeyDaemon daemon_;
    TlsSite site_{workers};
};

Sample Bench::measure(const std::string& name) {
    std::atomic<int> good = 0;
    std::atomic<int> bad = 0;
    const double cpuBefore = cpuMilliseconds();
    const Clock::time_point begin = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < clientThreads; ++i)
            threads.emplace_back([&] {
                const TlsClient client(TLS1_3_VERSION);
                while (Clock::now() < begin + roundLength)
                    ++(client.shakeHands(site_.port(), name) ? good : bad);
            });
    }
    if (bad > 0) throw std::runtime_error(std::to_string(bad) + " handshakes with " + name + " failed");
    return {good / std::chrono::duration<double>(Clock::now() - begin).count(),
            (cpuMilliseconds() - cpuBefore) / good};
}

double median(const std::vector<Sample>& samples, double Sample::*value) {
    std::vector<double> values;
    for (const Sample& sample : samples) values.push_back(sample.*value);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void Bench::compare(const char* title, const std::string& file, const std::string& reference) {
    std::vector<Sample> withFile;
    std::vector<Sample> withReference;
    for (int round = 0; round < rounds; ++round) {
        withFile.push_back(measure(file));
        withReference.push_back(measure(reference));
    }
    const double fileRate = median(withFile, &Sample::perSecond);
    const double referenceRate = median(withReference, &Sample::perSecond);
    std::printf("%-10s %10.0f %10.0f %6.0f %% %13.2f ms %10.2f ms\n", title, fileRate, referenceRate,
                referenceRate / fileRate * 100, median(withFile, &Sample::cpuMilliseconds),
                median(withReference, &Sample::cpuMilliseconds));
}

void Bench::run() {
    const OpensslService openssl;
    const std::vector<std::string> users{"www-data"};
    site_.add("ec-file.example", writePrivateKey(openssl.makeFileKey("EC")));
    site_.add("ec-reference.example",
              daemon_.makeReference(hal::KeyAlgorithm::ecP256, hal::KeyPolicy::file, users));
    site_.add("rsa-file.example", writePrivateKey(openssl.makeFileKey("RSA")));
    site_.add("rsa-reference.example",
              daemon_.makeReference(hal::KeyAlgorithm::rsa2048, hal::KeyPolicy::file, users));
    site_.start();
    std::printf("nginx, %d workers, TLS 1.3, full handshakes per second (median of %d rounds)\n", workers,
                rounds);
    std::printf("%-10s %10s %10s %8s %16s %13s\n", "key", "key file", "reference", "ratio", "CPU: key file",
                "reference");
    compare("P-256", "ec-file.example", "ec-reference.example");
    compare("RSA-2048", "rsa-file.example", "rsa-reference.example");
}

}  // namespace

int main() {
    try {
        Bench().run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_provider: %s\n", error.what());
        return 1;
    }
}
