// Brings one generation to a service and proves it: write, swap, reload, handshake; or the last good one comes back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/service_profile.h"
#include "hal/service_control.h"

namespace certmgr::deploy {

// One certificate of one service.
struct Item {
    Credential credential;
    std::string keyReferencePem;  // what goes into key.pem
};

enum class State {
    proved,      // a handshake showed this leaf with its whole chain
    rolledBack,  // it was not served; the generation before is back, and what is served now is in `reason`
    waiting,     // the service does not run (connection refused before and after): the files lie ready, to be proved at its start
    failed,      // it was not served and there is none to go back to; the files stay, so that the service can start at all
};
std::string_view toString(State state) noexcept;

struct Outcome {
    CertificateId certificate;
    std::int64_t generation = 0;  // the one that was to be deployed
    std::int64_t current = 0;     // the one that the symlink points at now
    State state = State::waiting;
    std::string reason;           // a sentence; with `proved`: what was seen
};

// The directory tree that services read:
//   ROOT/SERVICE/CERTIFICATE/generations/N/{fullchain.pem,chain.pem,cert.pem,key.pem}
//   ROOT/SERVICE/CERTIFICATE/current -> generations/N          (one rename(2) swaps it)
class GenerationStore {
  public:
    explicit GenerationStore(std::filesystem::path root);

    // Writes, fsyncs, reads back and checks that key and leaf belong together. A generation that exists already with
    // the same content is left alone (a crash repeats the call). Error(internal, "disk-full"), ("pair-mismatch").
    void write(const std::string& service, const Item& item) const;
    // Atomic and durable. The generation must exist.
    void activate(const std::string& service, const CertificateId& certificate, std::int64_t generation) const;
    std::optional<std::int64_t> active(const std::string& service, const CertificateId& certificate) const;
    // Removes all generations but those named; unfinished directories go too.
    void prune(const std::string& service, const CertificateId& certificate, const std::vector<std::int64_t>& keep) const;
    void removeCertificate(const std::string& service, const CertificateId& certificate) const;

  private:
    std::filesystem::path root_;
};

// What a client sees. Implementations: TlsProbe; the tests have a fake.
struct Seen {
    bool connected = false;              // TCP came up
    std::string problem;                 // empty: handshake complete and chain good
    std::vector<std::string> chainSha256;  // lower-case hex, leaf first, as sent
};
class Probe {
  public:
    virtual ~Probe() = default;
    // One handshake with `serverName` as SNI (RFC 6066 3). Bounded by target.timeout. Never throws for what the service does wrong.
    virtual Seen look(const ProbeTarget& target, const Identifier& serverName) = 0;
};

// Threads: deploy() may run for different services at once, never twice for the same service.
class Deployer {
  public:
    Deployer(const GenerationStore& generations, hal::ServiceControl& control, Probe& probe);

    // All items of one service with one reload. Items fail and roll back one by one where the service serves the others.
    // `lastGood` per item: 0 where none was ever proved. Throws only for what is wrong on our side (disk, rights): then
    // nothing was activated, or what was is back.
    struct Target {
        Item item;
        std::int64_t lastGood = 0;
        std::string lastGoodLeafSha256;
    };
    std::vector<Outcome> deploy(const ServiceProfile& service, const std::vector<Target>& targets);

    // Proves what is served now, without changing anything.
    std::vector<Outcome> check(const ServiceProfile& service, const std::vector<Target>& targets);

  private:
    const GenerationStore& generations_;
    hal::ServiceControl& control_;
    Probe& probe_;
};

}  // namespace certmgr::deploy
