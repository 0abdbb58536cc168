#include "certmgr/acme/lost_order.h"

#include <openssl/pem.h>

#include "certmgr/acme/response.h"
#include "certmgr/acme/wire/account.h"
#include "certmgr/acme/wire/order.h"

namespace certmgr::acme {
namespace {

using net::HttpResponse;
using wire::Order;
using wire::OrderStatus;

// An account may have years of orders: what was lost is worth so many requests, then a new order is less.
constexpr int mostPages = 20;
constexpr int mostOrders = 200;

bool hasKeyOf(const std::string& chainPem, const hal::Bytes& csrDer) {
    const unsigned char* cursor = csrDer.data();
    const hal::X509ReqPtr csr(d2i_X509_REQ(nullptr, &cursor, static_cast<long>(csrDer.size())));
    const hal::Bio pem(BIO_new_mem_buf(chainPem.data(), static_cast<int>(chainPem.size())));
    const hal::X509Ptr leaf(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    return csr && leaf && EVP_PKEY_eq(X509_get0_pubkey(leaf.get()), X509_REQ_get0_pubkey(csr.get())) == 1;
}

// The server has answered, and would answer so again.
bool unreadable(const Error& error) {
    return error.kind() == ErrorKind::rejected || error.kind() == ErrorKind::misconfigured ||
           error.code() == "acme-server-error";
}

template <class Read>
auto readable(Read read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const Error& error) {
        if (!unreadable(error)) throw;
        return std::nullopt;
    }
}

class Search {
  public:
    Search(Session::Impl& ca, const std::vector<Identifier>& names, const hal::Bytes& csr,
           OrderJournal& journal, const std::stop_token& stop)
        : ca_(ca), names_(names), csr_(csr), journal_(journal), stop_(stop) {}

    std::optional<std::string> givenUp() {
        for (const std::string& url : journal_.ordersGivenUp())
            if (readable([&] { return claimWithCertificate(url); }).value_or(false)) return url;
        return std::nullopt;
    }

    LostOrder run() {
        const std::string url = ca_.accountUrl(stop_);
        // The RFC asks for the list, but many CAs keep none.
        const auto account = readable([&] { return wire::parseAccount(ask(url, "the account").body); });
        if (!account || !account->orders) return {std::nullopt, "the CA keeps no list of orders to ask"};
        std::optional<std::string> page = account->orders;
        for (int pages = 0; page && pages < mostPages && looked_ < mostOrders; ++pages) {
            const auto list = readable([&] { return readList(*page); });
            if (!list) return {std::nullopt, "the CA's list of orders cannot be read"};
            for (const std::string& order : list->orders)
                if (claimListed(order)) return {order, ""};
            page = list->next;
        }
        if (page || looked_ >= mostOrders)
            doubt_ = "the CA's list of orders is too long to be read to its end";
        return {std::nullopt, doubt_};
    }

  private:
    struct List {
        std::vector<std::string> orders;
        std::optional<std::string> next;
    };

    HttpResponse ask(const std::string& url, const std::string& what) {
        HttpResponse response = ca_.post(url, "", what, stop_);
        requireType(response, "application/json", what);
        return response;
    }

    List readList(const std::string& url) {
        const HttpResponse page = ask(url, "the account's list of orders");
        return {wire::parseOrdersList(page.body), linkTarget(page, "next")};
    }

    bool claimListed(const std::string& url) {
        if (journal_.isKnownOrder(url) || looked_ >= mostOrders) return false;
        ++looked_;
        const std::optional<bool> claimed = readable([&] { return claim(url); });
        if (!claimed) doubt_ = "an order of the account, which may be that one, cannot be read";
        return claimed.value_or(false);
    }

    // True: the intent may go on with it, and has the key of its certificate where there is one.
    bool claim(const std::string& url) {
        const std::optional<Order> order = orderForNames(url);
        return order && (order->status != OrderStatus::valid || claimCertificate(*order));
    }

    bool claimWithCertificate(const std::string& url) {
        const std::optional<Order> order = orderForNames(url);
        return order && order->status == OrderStatus::valid && claimCertificate(*order);
    }

    // Empty: it is for others, or nothing comes of it any more.
    std::optional<Order> orderForNames(const std::string& url) {
        Order order = wire::parseOrder(ask(url, "an order of the account").body);
        const bool ofUse = order.identifiers == names_ && order.status != OrderStatus::invalid;
        return ofUse ? std::optional(std::move(order)) : std::nullopt;
    }

    bool claimCertificate(const Order& order) {
        const HttpResponse response = ca_.post(order.certificate, "", "the certificate", stop_);
        requireType(response, "application/pem-certificate-chain", "the certificate");
        return hasKeyOf(response.body, csr_) || journal_.takeKeyOf(response.body);
    }

    Session::Impl& ca_;
    const std::vector<Identifier>& names_;
    const hal::Bytes& csr_;
    OrderJournal& journal_;
    const std::stop_token& stop_;
    int looked_ = 0;
    std::string doubt_;
};

}  // namespace

LostOrder findLostOrder(Session::Impl& ca, const std::vector<Identifier>& names, const hal::Bytes& csr,
                        OrderJournal& journal, const std::stop_token& stop) {
    return Search(ca, names, csr, journal, stop).run();
}

std::optional<std::string> findOrderGivenUp(Session::Impl& ca, const std::vector<Identifier>& names,
                                            const hal::Bytes& csr, OrderJournal& journal,
                                            const std::stop_token& stop) {
    return Search(ca, names, csr, journal, stop).givenUp();
}

}  // namespace certmgr::acme
