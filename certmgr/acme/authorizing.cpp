#include "certmgr/acme/authorizing.h"

#include <algorithm>

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

constexpr std::chrono::seconds serverPatience{10};
constexpr std::chrono::milliseconds serverLook{50};

// Takes the challenges away again, unless the CA may be fetching them at this moment: an order that is
// interrupted there, by a stop or by the network, would become invalid. The run that goes on with it presents
// them again.
class PresentedChallenges {
  public:
    explicit PresentedChallenges(Http01Solver& solver) : solver_(solver) {}
    ~PresentedChallenges() {
        if (inUse_) return;
        for (const std::string& token : tokens_) solver_.remove(token);
    }
    PresentedChallenges(const PresentedChallenges&) = delete;
    PresentedChallenges& operator=(const PresentedChallenges&) = delete;

    void present(const std::string& token, const std::string& keyAuthorization) {
        tokens_.push_back(token);
        solver_.present(token, keyAuthorization);
    }
    void setInUse(bool inUse) { inUse_ = inUse; }

  private:
    Http01Solver& solver_;
    std::vector<std::string> tokens_;
    bool inUse_ = false;
};

std::string nameOf(const Authorization& authorization) {
    return (authorization.wildcard ? "*." : "") + authorization.identifier.value;
}

const Challenge& http01(const Authorization& authorization) {
    for (const Challenge& challenge : authorization.challenges)
        if (challenge.type == "http-01") return challenge;
    throw Error(ErrorKind::rejected, "no-http-01",
                "the CA offers no http-01 challenge for " + nameOf(authorization) +
                    ", which is the one that is known here");
}

// The CA's words about a challenge like to repeat the URL it asked for: with the token, which belongs in no
// log.
std::string withoutToken(std::string text, const std::string& token) {
    if (token.empty()) return text;
    for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at))
        text.replace(at, token.size(), "TOKEN");
    return text;
}

// A run that was broken off left its challenge in place, and nobody asks for it any more.
void removeLeftovers(const Authorization& authorization, Http01Solver& solver) {
    for (const Challenge& challenge : authorization.challenges)
        if (challenge.type == "http-01") solver.remove(challenge.token);
}

// What went wrong with each identifier.
class Failures {
  public:
    bool empty() const { return words_.empty(); }

    void add(const Authorization& authorization) {
        std::string words = nameOf(authorization) + ": the authorization is " + authorization.statusText;
        for (const Challenge& challenge : authorization.challenges) {
            if (challenge.problem.empty()) continue;
            const std::string document = withoutToken(challenge.problem, challenge.token);
            words = nameOf(authorization) + ": " + wire::sentence(wire::parseProblem(document));
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
    std::string words_;
    std::vector<std::string> problems_;
};

struct Open {
    std::string url;
    std::string name;
};

class Authorizing {
  public:
    Authorizing(Session::Impl& ca, Http01Solver& solver, OrderJournal& journal, const std::stop_token& stop)
        : ca_(ca), solver_(solver), journal_(journal), stop_(stop), presented_(solver) {}

    void run(const std::vector<std::string>& urls) {
        for (const std::string& url : urls) prepare(url);
        if (!failures_.empty()) throw failures_.error();
        if (open_.empty()) return;
        if (!challenges_.empty()) awaitServer();
        Polling polling(waitingFor(), stop_);
        presented_.setInUse(true);
        // 7.5.1: "the client indicates to the server that it is ready for the challenge validation by sending
        // an empty JSON body ("{}")"
        for (const std::string& url : challenges_) {
            const HttpResponse response = ca_.post(url, "{}", "the challenge", stop_);
            requireType(response, "application/json", "the challenge");
            polling.saw(response);
        }
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
        Authorization authorization = wire::parseAuthorization(response.body);
        if (polling && authorization.status == AuthorizationStatus::pending) polling->saw(response);
        return authorization;
    }

    void prepare(const std::string& url) {
        const Authorization authorization = fetch(url, nullptr);
        if (authorization.status == AuthorizationStatus::invalid) failures_.add(authorization);
        if (authorization.status != AuthorizationStatus::pending)
            return removeLeftovers(authorization, solver_);
        const Challenge& challenge = http01(authorization);
        presented_.present(challenge.token, ca_.keyAuthorization(challenge.token));
        // "processing": an earlier run has answered it.
        if (challenge.status == "pending") challenges_.push_back(challenge.url);
        open_.push_back({url, nameOf(authorization)});
    }

    // At the start of the box its proxy may still be to come: a short wait is worth an authorization that
    // fails and a minute of backoff. The CA, which looks from outside, has the last word.
    void awaitServer() {
        const auto deadline = std::chrono::steady_clock::now() + serverPatience;
        while (!solver_.hasServer() && std::chrono::steady_clock::now() < deadline) {
            journal_.activity("waiting for the server of the challenges to start");
            pause(serverLook, stop_);
        }
    }

    void poll(Polling& polling) {
        std::erase_if(open_, [&](const Open& each) {
            const Authorization authorization = fetch(each.url, &polling);
            if (authorization.status == AuthorizationStatus::invalid) failures_.add(authorization);
            return authorization.status == AuthorizationStatus::valid;
        });
        if (failures_.empty()) return;
        presented_.setInUse(false);  // the order is invalid with its first authorization
        throw failures_.error();
    }

    std::string waitingFor() const {
        std::string text = "the authorization of ";
        for (const Open& each : open_) text += (&each == &open_.front() ? "" : ", ") + each.name;
        return text;
    }

    Session::Impl& ca_;
    Http01Solver& solver_;
    OrderJournal& journal_;
    const std::stop_token& stop_;
    PresentedChallenges presented_;
    std::vector<std::string> challenges_;  // to be answered
    std::vector<Open> open_;
    Failures failures_;
};

}  // namespace

void obtainAuthorizations(Session::Impl& ca, const std::vector<std::string>& urls, Http01Solver& solver,
                          OrderJournal& journal, const std::stop_token& stop) {
    Authorizing(ca, solver, journal, stop).run(urls);
}

std::optional<Error> authorizationFailure(Session::Impl& ca, const std::vector<std::string>& urls,
                                          Http01Solver& solver, const std::stop_token& stop) {
    Failures failures;
    for (const std::string& url : urls) {
        const HttpResponse response = ca.post(url, "", "the authorization", stop);
        const Authorization authorization = wire::parseAuthorization(response.body);
        removeLeftovers(authorization, solver);
        if (authorization.status == AuthorizationStatus::invalid) failures.add(authorization);
    }
    return failures.empty() ? std::nullopt : std::optional(failures.error());
}

}  // namespace certmgr::acme
