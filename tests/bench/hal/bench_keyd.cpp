// Keys made and signatures per second by back end and algorithm, over keyd's socket; the TPM is swtpm.
#include <atomic>
#include <cstdio>
#include <thread>

#include <time.h>

#include "hal/client/keyd_client.h"
#include "hal/error.h"
#include "tests/support/keyd_server.h"
#include "tests/support/swtpm.h"

namespace {

using hal::KeyAlgorithm;
using hal::KeyPolicy;
using Seconds = std::chrono::duration<double>;

constexpr auto window = std::chrono::milliseconds(1500);

// How often `work` runs in a second, with so many threads.
template <class Work>
double rate(unsigned int threads, Work work) {
    std::atomic<std::size_t> count = 0;
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (unsigned int i = 0; i < threads; ++i)
        workers.emplace_back([&] {
            while (std::chrono::steady_clock::now() - begin < window) {
                work();
                ++count;
            }
        });
    for (std::thread& worker : workers) worker.join();
    return static_cast<double>(count) / Seconds(std::chrono::steady_clock::now() - begin).count();
}

// What a busy machine does not change: keyd's own time on the processor for one call.
template <class Work>
double processorMicroseconds(pid_t keyd, int times, Work work) {
    clockid_t clock{};
    timespec begin{};
    timespec end{};
    if (::clock_getcpuclockid(keyd, &clock) != 0) return 0;
    ::clock_gettime(clock, &begin);
    for (int i = 0; i < times; ++i) work();
    ::clock_gettime(clock, &end);
    return (static_cast<double>(end.tv_sec - begin.tv_sec) * 1e6 +
            static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e3) /
           times;
}

void measure(hal::KeydClient& keys, pid_t keyd, KeyPolicy policy, KeyAlgorithm algorithm) {
    const auto request = [&] { return hal::KeyRequest{hal::KeyId::fresh(), algorithm, policy, {}, "bench"}; };
    const bool rsa = algorithm != KeyAlgorithm::ecP256 && algorithm != KeyAlgorithm::ecP384;
    const auto scheme = rsa ? hal::SignatureScheme::rsaPss : hal::SignatureScheme::ecdsa;
    const hal::Bytes digest(32, 0x5a);
    const hal::KeyId id = keys.make(request()).id;
    const auto sign = [&] { keys.sign(id, scheme, hal::Hash::sha256, digest); };
    const double processor = processorMicroseconds(keyd, 200, sign);
    const double made = rate(4, [&] { keys.make(request()); });
    const double one = rate(1, sign);
    const double eight = rate(8, sign);
    std::printf("%-8s %-9s %11.1f %12.0f %12.0f %14.0f\n", std::string(toString(policy)).c_str(),
                std::string(toString(algorithm)).c_str(), made, one, eight, processor);
    std::fflush(stdout);
}

}  // namespace

int main() {
    try {
        testing_support::Swtpm tpm;
        testing_support::KeydServer server(testing_support::KeydServer::Options{tpm.tcti(), {}, {}});
        hal::KeydClient keys(server.socketPath());
        std::printf("%-8s %-9s %11s %12s %12s %14s\n", "backend", "algorithm", "make/s", "sign/s (1)",
                    "sign/s (8)", "keyd us/sign");
        for (const auto policy : {KeyPolicy::file, KeyPolicy::sealed, KeyPolicy::tpm})
            for (const auto algorithm :
                 {KeyAlgorithm::ecP256, KeyAlgorithm::ecP384, KeyAlgorithm::rsa2048, KeyAlgorithm::rsa3072})
                measure(keys, server.pid(), policy, algorithm);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_keyd: %s\n", error.what());
        return 1;
    }
}
