// RFC 8555 8: proving control of an identifier, the part that is the client's.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/acme/solvers/shared_port.h"
#include "certmgr/core/challenge_kind.h"
#include "certmgr/core/preflight.h"

namespace certmgr::acme {

// What a challenge of the CA asks for.
struct Proof {
    Identifier identifier;  // with its "*." where it is a wildcard
    std::string token;
    std::string keyAuthorization;           // RFC 8555 8.1
    std::string account = {};               // its URL at the CA
    std::vector<std::string> issuers = {};  // by which a record may name the CA
};

// The CA that is to be convinced, as far as it is known.
struct Asking {
    std::string account = {};               // the URL of ours there, as a record names it; empty: none yet
    std::vector<std::string> issuers = {};  // by which a record may name the CA; empty: not known
};

// No order is under way for longer: what was presented before that was left behind by a run that crashed.
inline constexpr std::chrono::hours longestRun{24};

// One way to prove it. Thread-safe; several orders use it at once. Implementations: WebrootSolver,
// TlsAlpnSolver, DnsSolver, DnsPersistSolver; the tests have others.
class Solver {
  public:
    virtual ~Solver() = default;
    virtual ChallengeKind kind() const = 0;

    // Why not this identifier, beyond what its kind cannot do (whyNotProvenBy), as a clause: "no [[dns]] has
    // its zone". Empty: it can. May ask servers, and throw what they answer.
    virtual std::string whyNot(const Identifier& identifier, const Asking& ca) const = 0;

    virtual void present(const Proof& proof) = 0;
    // Takes it away again, also what a run presented that has crashed since. Never presented: nothing
    // happens, and quickly.
    virtual void remove(const Proof& proof) noexcept = 0;
    // Takes away what could not be taken away in its time, and what crashed runs left that nobody went on
    // with. Returns how much is still there, or throws why something is, after it has tried all but what is
    // in use just now or would hang as another did.
    virtual int clearAway() = 0;
    // Whatever runs ends soon, with an error, and is cleared away by the next run of the daemon.
    virtual void stop() {}

    // Lets the CA through to what answers it, where a packet filter is in between, for as long as the lease
    // is there. Throws what keeps it out.
    virtual SharedPort::Lease openPort() { return nullptr; }

    // On which a CA asks, where that can be tried from here; 0: it cannot.
    virtual std::uint16_t port() const { return 0; }
    // What answers at this address of the box, tried with a challenge of our own that is taken away again.
    virtual PortAnswer answerAt(const Identifier&, const std::string& address) { return {address, {}, {}}; }

    // What a CA that looked now would not find.
    struct Missing {
        std::string what;     // "the server of the challenges to start", for people
        bool certain = true;  // false: not to be told from here, the CA may see it all the same
    };
    // Of what was presented; empty: nothing.
    virtual std::optional<Missing> missing(const Proof& proof) const = 0;
    // How long it is worth waiting for that.
    virtual std::chrono::seconds patience() const = 0;
};

// Those that are set up, in order of preference.
struct Solvers {
    std::vector<std::reference_wrapper<Solver>> inOrder;
    // How many attempts in a row have failed at a challenge: each makes the next kind that is usable go
    // first.
    int failures = 0;
    // What proved it before, when one that is preferred had failed: it begins.
    std::optional<ChallengeKind> first = std::nullopt;
};

}  // namespace certmgr::acme
