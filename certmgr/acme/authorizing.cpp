#include "certmgr/acme/authorizing.h"

#include <algorithm>
#include <set>
#include <utility>

#include "certmgr/acme/choice.h"
#include "certmgr/acme/response.h"
#include "certmgr/acme/waiting.h"
#include "certmgr/acme/wire/authorization.h"
#include "certmgr/acme/wire/problem.h"

namespace certmgr::acme {
namespace {

using net::HttpResponse;
using wire::Authorization;
using wire::AuthorizationStatus;
using wire::Challenge;

constexpr std::chrono::milliseconds firstLook{50};
constexpr std::chrono::milliseconds longestLook{1000};

struct Presented {
    Solver& solver;
    Proof proof;
};

// Takes the challenges away again, unless the CA may be fetching them at this moment: an order that is
// interrupted there, by a stop or by the network, would become invalid. The run that goes on with it presents
// them again.
class PresentedChallenges {
  public:
    PresentedChallenges() = default;
    ~PresentedChallenges() {
        if (inUse_) return;
        for (const Presented& each : presented_) each.solver.remove(each.proof);
    }
    PresentedChallenges(const PresentedChallenges&) = delete;
    PresentedChallenges& operator=(const PresentedChallenges&) = delete;

    // An earlier run may have presented it.
    void add(Presented presented) { presented_.push_back(std::move(presented)); }
    void setInUse(bool inUse) { inUse_ = inUse; }

  private:
    std::vector<Presented> presented_;
    bool inUse_ = false;
};

Proof proofFor(Session::Impl& ca, const Authorization& authorization, const Challenge& challenge,
               const std::stop_token& stop) {
    Asking asking = askingOf(challenge, ca.accountUrl(stop));
    return {identifierOf(authorization), challenge.token, ca.keyAuthorization(challenge.token),
            std::move(asking.account), std::move(asking.issuers)};
}

// Every challenge of it that somebody here can have presented, in this run or in one that was broken off.
std::vector<Presented> presentable(Session::Impl& ca, const Authorization& authorization,
                                   const Solvers& solvers, const std::stop_token& stop) {
    std::vector<Presented> all;
    for (Solver& solver : solvers.inOrder)
        for (const Challenge& challenge : authorization.challenges)
            if (challenge.type == toString(solver.kind()))
                all.push_back({solver, proofFor(ca, authorization, challenge, stop)});
    return all;
}

// Solvers make names of files and of records of its identifier.
Authorization readAuthorization(const HttpResponse& response) {
    Authorization authorization = wire::parseAuthorization(response.body);
    parseIdentifier(identifierOf(authorization).value);
    return authorization;
}

void removeLeftovers(Session::Impl& ca, const Authorization& authorization, const Solvers& solvers,
                     const std::stop_token& stop) {
    for (const Presented& each : presentable(ca, authorization, solvers, stop))
        each.solver.remove(each.proof);
}

// The CA's words about a challenge like to repeat the URL it asked for: with the token, which belongs in no
// log.
std::string withoutToken(std::string text, const std::string& token) {
    if (token.empty()) return text;
    for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at))
        text.replace(at, token.size(), "TOKEN");
    return text;
}

// What went wrong with each identifier.
class Failures {
  public:
    explicit Failures(OrderJournal& journal) : journal_(journal) {}

    bool empty() const { return words_.empty(); }

    // One that has expired or was deactivated is of no use either, but nothing failed.
    void add(const Authorization& authorization) {
        if (authorization.statusText == "invalid") journal_.authorizationFailed(identifierOf(authorization));
        std::string words =
            identifierOf(authorization).value + ": the authorization is " + authorization.statusText;
        for (const Challenge& challenge : authorization.challenges) {
            if (challenge.problem.empty()) continue;
            const std::string document = withoutToken(challenge.problem, challenge.token);
            words = identifierOf(authorization).value + ": " + wire::sentence(wire::parseProblem(document));
            problems_.push_back(document);
        }
        words_ += (words_.empty() ? "" : "; ") + words;
    }

    Error error() const {
        Error error(ErrorKind::rejected, "authorization-failed", words_);
        if (!problems_.empty()) error.problem(wire::compoundProblem(problems_));
        return error;
    }

  private:
    OrderJournal& journal_;
    std::string words_;
    std::vector<std::string> problems_;
};

struct Open {
    std::string url;
    Identifier name;
    ChallengeKind kind;  // that it is proved by
    std::optional<bool> preferred;
};

class Authorizing {
  public:
    Authorizing(Session::Impl& ca, const Solvers& solvers, OrderJournal& journal, const std::stop_token& stop)
        : ca_(ca), solvers_(solvers), journal_(journal), stop_(stop), failures_(journal) {}

    void run(const std::vector<std::string>& urls) {
        for (const std::string& url : urls) prepare(url);
        if (!failures_.empty()) throw failures_.error();
        if (open_.empty()) return;
        // They become visible side by side.
        const auto begin = std::chrono::steady_clock::now();
        for (const Presented& each : toAnswer_) awaitVisible(each, begin);
        for (Solver* const solver : answering_) openPort(*solver);
        Polling polling(waitingFor(), ca_.patience(), stop_);
        presented_.setInUse(true);
        // 7.5.1: "the client indicates to the server that it is ready for the challenge validation by sending
        // an empty JSON body ("{}")"
        for (const std::string& url : challenges_) answer(url, polling);
        while (!open_.empty()) {
            journal_.activity("waiting for " + waitingFor());
            polling.wait();
            poll(polling);
        }
        presented_.setInUse(false);
    }

  private:
    Authorization fetch(const std::string& url, Polling* polling) {
        const HttpResponse response = ca_.post(url, "", "the authorization", stop_);
        requireType(response, "application/json", "the authorization");
        Authorization authorization = readAuthorization(response);
        if (polling && authorization.status == AuthorizationStatus::pending) polling->saw(response);
        return authorization;
    }

    // What a run answered that was broken off may take effect just now: then the CA refuses another answer,
    // and is right.
    void answer(const std::string& url, Polling& polling) {
        try {
            const HttpResponse response = ca_.post(url, "{}", "the challenge", stop_);
            requireType(response, "application/json", "the challenge");
            polling.saw(response);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::rejected) throw;
            const HttpResponse response = ca_.post(url, "", "the challenge", stop_);
            if (wire::readChallenge(wire::Object::parse(response.body, "the challenge")).status == "pending")
                throw;
            polling.saw(response);
        }
    }

    void prepare(const std::string& url) {
        const Authorization authorization = fetch(url, nullptr);
        if (authorization.status == AuthorizationStatus::invalid) failures_.add(authorization);
        if (authorization.status != AuthorizationStatus::pending)
            return removeLeftovers(ca_, authorization, solvers_, stop_);
        const Choice choice = chooseChallenge(authorization, solvers_, ca_.accountUrl(stop_));
        journal_.activity(choice.reason);
        for (Presented& each : presentable(ca_, authorization, solvers_, stop_))
            presented_.add(std::move(each));
        const Presented answer{*choice.solver, proofFor(ca_, authorization, *choice.challenge, stop_)};
        present(answer);
        open_.push_back({url, answer.proof.identifier, choice.solver->kind(), choice.preferred});
        answering_.insert(choice.solver);
        // "processing": an earlier run has answered it.
        if (choice.challenge->status != "pending") return;
        toAnswer_.push_back(answer);
        challenges_.push_back(choice.challenge->url);
    }

    // Another kind may do better at the next attempt, which is what the code is for.
    [[noreturn]] static void failToPresent(const Error& error, const std::string& what) {
        throw Error(error.kind(), "challenge-not-presented", what + ": " + error.what());
    }

    static void present(const Presented& answer) {
        try {
            answer.solver.present(answer.proof);
        } catch (const Error& error) {
            failToPresent(error, "presenting " + nameOf(answer));
        }
    }

    // For the length of this run only: what was presented may lie there for the next one, but no port stays
    // open for a run that may never come.
    void openPort(Solver& solver) {
        try {
            ports_.push_back(solver.openPort());
        } catch (const Error& error) {
            failToPresent(error, std::string(toString(solver.kind())));
        }
    }

    // At the start of the box its proxy may still be to come, and name servers tell each other of a record in
    // their own time: a short wait is worth an authorization that fails and a minute of backoff.
    void awaitVisible(const Presented& answer, std::chrono::steady_clock::time_point begin) {
        const auto deadline = begin + answer.solver.patience();
        for (auto look = firstLook;; look = std::min(look * 2, longestLook)) {
            const std::optional<Solver::Missing> missing = answer.solver.missing(answer.proof);
            if (!missing) return;
            if (std::chrono::steady_clock::now() >= deadline) {
                if (!missing->certain) return;  // the CA, which looks from outside, has the last word
                throw Error(ErrorKind::transient, "challenge-not-visible",
                            nameOf(answer) + ": after " + std::to_string(answer.solver.patience().count()) +
                                " s still waiting for " + missing->what);
            }
            journal_.activity("waiting for " + missing->what);
            pause(look, stop_);
        }
    }

    static std::string nameOf(const Presented& answer) {
        return std::string(toString(answer.solver.kind())) + " for " + answer.proof.identifier.value;
    }

    void poll(Polling& polling) {
        std::erase_if(open_, [&](const Open& each) {
            const Authorization authorization = fetch(each.url, &polling);
            if (authorization.status == AuthorizationStatus::invalid) failures_.add(authorization);
            const bool proved = authorization.status == AuthorizationStatus::valid;
            if (proved) journal_.authorizationProved(each.name, each.kind, each.preferred);
            return proved;
        });
        if (failures_.empty()) return;
        presented_.setInUse(false);  // the order is invalid with its first authorization
        throw failures_.error();
    }

    std::string waitingFor() const {
        std::string text = "the authorization of ";
        for (const Open& each : open_) text += (&each == &open_.front() ? "" : ", ") + each.name.value;
        return text;
    }

    Session::Impl& ca_;
    const Solvers& solvers_;
    OrderJournal& journal_;
    const std::stop_token& stop_;
    PresentedChallenges presented_;
    std::set<Solver*> answering_;
    std::vector<SharedPort::Lease> ports_;
    std::vector<Presented> toAnswer_;
    std::vector<std::string> challenges_;  // the URLs of those
    std::vector<Open> open_;
    Failures failures_;
};

}  // namespace

void obtainAuthorizations(Session::Impl& ca, const std::vector<std::string>& urls, const Solvers& solvers,
                          OrderJournal& journal, const std::stop_token& stop) {
    Authorizing(ca, solvers, journal, stop).run(urls);
}

std::optional<Error> authorizationFailure(Session::Impl& ca, const std::vector<std::string>& urls,
                                          const Solvers& solvers, OrderJournal& journal,
                                          const std::stop_token& stop) {
    Failures failures(journal);
    for (const std::string& url : urls) {
        const HttpResponse response = ca.post(url, "", "the authorization", stop);
        const Authorization authorization = readAuthorization(response);
        removeLeftovers(ca, authorization, solvers, stop);
        if (authorization.status == AuthorizationStatus::invalid) failures.add(authorization);
    }
    return failures.empty() ? std::nullopt : std::optional(failures.error());
}

}  // namespace certmgr::acme
