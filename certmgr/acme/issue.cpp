#include "certmgr/acme/issue.h"

#include <algorithm>
#include <array>
#include <functional>

#include "certmgr/acme/authorizing.h"
#include "certmgr/acme/chains.h"
#include "certmgr/acme/lost_order.h"
#include "certmgr/acme/preflight.h"
#include "certmgr/acme/profile_choice.h"
#include "certmgr/acme/response.h"
#include "certmgr/acme/session.h"
#include "certmgr/acme/waiting.h"
#include "certmgr/acme/wire/json.h"
#include "certmgr/acme/wire/order.h"
#include "certmgr/acme/wire/problem.h"

namespace certmgr::acme {
namespace {

using net::HttpResponse;
using wire::Order;
using wire::OrderStatus;

// One run of one order. Each step below is a section of RFC 8555.
class Issuance {
  public:
    Issuance(Session::Impl& ca, const Request& request, const Solvers& solvers, OrderJournal& journal,
             std::stop_token stop)
        : ca_(ca), request_(request), solvers_(solvers), journal_(journal), stop_(std::move(stop)) {
        std::sort(names_.begin(), names_.end());
    }

    Issued run() {
        url_ = orderUrl();
        const bool resumed = !created_;
        Order order = fetchOrder();
        noteProfile(order, resumed);
        // The challenges of a resumed order may have been validated since, and still be presented.
        if (order.status == OrderStatus::pending || (resumed && order.status == OrderStatus::ready)) {
            authorize(order);
            order.status = OrderStatus::ready;
        }
        if (order.status == OrderStatus::ready) order = finalize(order);
        if (!hasEnded(order)) order = await(hasEnded, "the certificate");
        if (order.status == OrderStatus::invalid) abandon(refusalOf(order));
        ChosenChain chain = fetchCertificate(order);
        return {std::move(chain.pem), std::move(chain.reason), choice_.profile, choice_.reason};
    }

  private:
    std::string orderUrl() {
        if (std::optional<std::string> known = journal_.orderUrl()) return *std::move(known);
        sentBefore_ = journal_.newOrderWasSent();
        if (sentBefore_)
            if (std::optional<std::string> lost = lostOrder()) return *std::move(lost);
        if (request_.preflight.enabled) {
            journal_.activity("looking at what the CA will find in DNS");
            requireClear(ca_, request_.names, solvers_, request_.preflight, stop_);
        }
        choice_ = chooseProfile(request_.profile, offeredProfiles());
        try {
            return newOrReplacingOrder();
        } catch (const Error& error) {
            if (!isProblem(error, "invalidProfile") || choice_.profile.empty()) throw;
            ca_.forgetDirectory();
            choice_ = withoutRefusedProfile(request_.profile, ca_.directory(stop_).profiles, error.what());
        }
        return newOrReplacingOrder();
    }

    // A CA may offer one that it did not when its directory was read.
    std::vector<std::string> offeredProfiles() {
        std::vector<std::string> offered = ca_.directory(stop_).profiles;
        const std::string& wanted = request_.profile.name;
        if (wanted.empty() || std::ranges::find(offered, wanted) != offered.end()) return offered;
        ca_.forgetDirectory();
        return ca_.directory(stop_).profiles;
    }

    // What is not on record of an order that an earlier run has placed, the CA may say.
    void noteProfile(const Order& order, bool resumed) {
        if (!order.profile.empty()) choice_.profile = order.profile;
        if (resumed && !request_.profile.name.empty() && choice_.profile != request_.profile.name)
            choice_.reason = "the order was placed by an earlier run, and the CA " +
                             (choice_.profile.empty() ? "does not say under which profile"
                                                      : "has it under \"" + choice_.profile + "\"");
    }

    std::string newOrReplacingOrder() {
        try {
            return newOrder(replaces());
        } catch (const Error& error) {
            if (!mayBeForReplaces(error) && !failedAtReplaces(error)) throw;
            if (isProblem(error, "alreadyReplaced"))
                if (std::optional<std::string> earlier = replacement()) return *std::move(earlier);
        }
        return newOrder("");
    }

    // Pebble does, with a problem that says so, where it does not know the certificate. Such an answer makes
    // no order, but only the account's list can tell.
    bool failedAtReplaces(const Error& error) {
        if (!isProblem(error, "serverInternal") || error.retryAt() || replaces().empty()) return false;
        const LostOrder search = findLostOrder(ca_, names_, request_.csr, journal_, stop_);
        if (search.url) return false;  // the next attempt goes on with it
        if (search.doubt.empty())
            journal_.newOrderRefused();
        else
            journal_.orderLost("the CA failed at newOrder, and " + search.doubt);
        return true;
    }

    // A CA that does not know the certificate any more, or another account as its owner: an order that
    // replaces nothing is as good, and a certificate must not end for this. One that asks to wait means any
    // order.
    bool mayBeForReplaces(const Error& error) {
        if (error.kind() != ErrorKind::rejected || error.retryAt()) return false;
        const bool possible =
            std::ranges::any_of(std::array{"alreadyReplaced", "malformed", "unauthorized"},
                                [&](const char* problem) { return isProblem(error, problem); });
        return possible && !replaces().empty();
    }

    // RFC 9773 5: "Clients SHOULD NOT include this field if the ACME server has not indicated that it
    // supports this specification by advertising the renewalInfo resource in its Directory."
    // Nor after an order that nobody could find: a CA that fails at this field is to get one without it.
    std::string replaces() {
        const bool known = !request_.replaces.empty() && !sentBefore_ && ca_.directory(stop_).renewalInfo;
        return known ? request_.replaces : std::string();
    }

    // "alreadyReplaced": by an order that was given up when another CA's turn had come, or that is not on
    // record, as after a restored backup. It is of use where it has a certificate for a key of ours, the
    // latter also where it is still open.
    std::optional<std::string> replacement() {
        journal_.activity("looking for the order that has replaced the certificate already");
        std::optional<std::string> found = findOrderGivenUp(ca_, names_, request_.csr, journal_, stop_);
        if (!found) found = findLostOrder(ca_, names_, request_.csr, journal_, stop_).url;
        if (found) journal_.orderCreated(*found);
        return found;
    }

    // 7.4
    std::string newOrder(const std::string& replaces) {
        const std::string resource = ca_.directory(stop_).newOrder;
        reachCa();  // whatever fails up to here has sent no newOrder
        journal_.activity("asking the CA for an order");
        journal_.sendingNewOrder(!replaces.empty());
        const HttpResponse response = sendNewOrder(resource, replaces);
        const std::string url = response.header("location").value_or("");
        if (!wire::isHttpsUrl(url))
            throw Error(ErrorKind::misconfigured, "not-acme",
                        "newOrder: expected the https URL of the order as Location");
        journal_.orderCreated(url);
        requireType(response, "application/json", "newOrder");
        created_ = wire::parseOrder(response.body);
        return url;
    }

    HttpResponse sendNewOrder(const std::string& resource, const std::string& replaces) {
        try {
            return ca_.post(resource, wire::newOrderPayload(names_, replaces, choice_.profile), "newOrder",
                            stop_);
        } catch (const Error& error) {
            if (saysThatNoneWasMade(error)) journal_.newOrderRefused();
            throw;
        }
    }

    // Whatever limits requests turns them away before they are worked on. Other words without a problem
    // document may be those of a proxy that has lost the CA's answer.
    static bool saysThatNoneWasMade(const Error& error) {
        return error.code() == rateLimitedCode ||
               (error.kind() != ErrorKind::transient && !error.problem().empty());
    }

    // The answer to an earlier newOrder never came, or was that the server had failed.
    std::optional<std::string> lostOrder() {
        journal_.activity("looking for the order that an earlier run asked for");
        LostOrder search = findLostOrder(ca_, names_, request_.csr, journal_, stop_);
        if (search.url)
            journal_.orderCreated(*search.url);
        else if (!search.doubt.empty())
            journal_.orderLost("newOrder was sent, no answer told what came of it, and " + search.doubt);
        return std::move(search.url);
    }

    Order fetchOrder() { return created_ ? *std::exchange(created_, std::nullopt) : askForOrder(); }

    Order askForOrder() {
        reachCa();
        try {
            last_ = ca_.post(url_, "", "the order", stop_);
            requireType(last_, "application/json", "the order");
            return wire::parseOrder(last_.body);
        } catch (Error& error) {
            if (isRefusal(error)) abandon(std::move(error));  // expired, or of another account
            throw;
        }
    }

    // What is refused after this is what was asked for, and not the account or a nonce on the way there.
    void reachCa() {
        ca_.accountUrl(stop_);
        ca_.ensureNonce(stop_);
    }

    // 7.5
    void authorize(const Order& order) {
        try {
            obtainAuthorizations(ca_, order.authorizations, solvers_, journal_, stop_);
        } catch (Error& error) {
            if (error.kind() == ErrorKind::rejected) abandon(std::move(error));
            throw;
        }
    }

    // 7.4: "Once the client believes it has fulfilled the server's requirements, it should send a POST
    // request to the order resource's finalize URL."
    Order finalize(const Order& order) {
        journal_.activity("sending the certificate request");
        try {
            return sendFinalize(order);
        } catch (Error& error) {
            if (!isProblem(error, "orderNotReady")) {
                if (error.kind() == ErrorKind::rejected) abandon(std::move(error));
                throw;
            }
        }
        // 7.4: "orderNotReady": the server is slower than its authorizations, or an earlier run has finalized
        // already.
        const Order now = await([](const Order& seen) { return seen.status != OrderStatus::pending; },
                                "the order to become ready");
        return now.status == OrderStatus::ready ? sendFinalize(now) : now;
    }

    Order sendFinalize(const Order& order) {
        last_ = ca_.post(order.finalize, wire::finalizePayload(request_.csr), "finalize", stop_);
        requireType(last_, "application/json", "finalize");
        return wire::parseOrder(last_.body);
    }

    // Once it is finalized, other states than these are of a server that is behind: another of the CA's may
    // answer than the one that has taken the request.
    static bool hasEnded(const Order& order) {
        return order.status == OrderStatus::valid || order.status == OrderStatus::invalid;
    }

    Order await(const std::function<bool(const Order&)>& seen, const std::string& waitingFor) {
        journal_.activity("waiting for " + waitingFor);
        Polling polling(waitingFor, ca_.patience(), stop_);
        while (true) {
            polling.saw(last_);
            polling.wait();
            const Order order = askForOrder();
            if (seen(order)) return order;
        }
    }

    // 7.4.2. An order whose certificate is not to be had any more would be asked for it for ever.
    ChosenChain fetchCertificate(const Order& order) {
        journal_.activity("fetching the certificate");
        reachCa();
        try {
            return fetchChain(ca_, order.certificate, request_.chain ? request_.chain() : ChainWish{},
                              journal_, stop_);
        } catch (Error& error) {
            if (isRefusal(error)) abandon(std::move(error));
            throw;
        }
    }

    // An authorization's own words say more than those of the order, and know which token to leave out.
    Error refusalOf(const Order& order) {
        if (std::optional<Error> failure =
                authorizationFailure(ca_, order.authorizations, solvers_, journal_, stop_))
            return *failure;
        const std::string words =
            order.problem.empty() ? "" : ": " + wire::sentence(wire::parseProblem(order.problem));
        return Error(ErrorKind::rejected, "order-invalid", "the CA refused the order" + words)
            .problem(order.problem);
    }

    [[noreturn]] void abandon(Error error) {
        journal_.orderAbandoned(error.what());
        throw error;
    }

    Session::Impl& ca_;
    const Request& request_;
    const Solvers& solvers_;
    OrderJournal& journal_;
    const std::stop_token stop_;
    std::vector<Identifier> names_ = request_.names;
    ProfileChoice choice_;
    std::string url_;
    bool sentBefore_ = false;       // newOrder, by an earlier run that saw no order come of it
    std::optional<Order> created_;  // newOrder's answer is the order: no need to fetch it
    HttpResponse last_;             // of the order; its Retry-After counts
};

}  // namespace

Issued issue(Session& session, const Request& request, const Solvers& solvers, OrderJournal& journal,
             std::stop_token stop) {
    Session::Impl& ca = session.impl();
    try {
        return Issuance(ca, request, solvers, journal, stop).run();
    } catch (Error& error) {
        if (stop.stop_requested() && error.code() == "http-cancelled") throwCancelled();
        // Whatever is wrong may be that the CA has moved its resources: the next run asks for the directory
        // again.
        if (error.problem().empty()) ca.forgetDirectory();
        error.within(ca.caName());
        throw;
    }
}

}  // namespace certmgr::acme
