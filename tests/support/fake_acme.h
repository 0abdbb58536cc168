// An ACME CA inside the test, behind the HttpClient interface: for what no real server can be made to show,
// ten years of the manual clock and outages on demand. It checks no signatures and no challenges: the real
// servers do that.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "certmgr/core/renewal_info.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/net/http_client.h"

namespace testing_support {

class FakeAcme {
  public:
    explicit FakeAcme(const certmgr::Clock& clock, certmgr::seconds lifetime = std::chrono::hours(24 * 90));

    // Any number of clients may stand in front of the same CA.
    class Client : public certmgr::net::HttpClient {
      public:
        explicit Client(FakeAcme& ca) : ca_(ca) {}
        certmgr::net::HttpResponse send(const certmgr::net::HttpRequest& request, std::stop_token) override {
            return ca_.answer(request);
        }

      private:
        FakeAcme& ca_;
    };

    static constexpr const char* directory = "https://acme.test/directory";
    void setDown(bool down);
    void loseNextOrder();                   // makes it, and the connection breaks before its answer
    void setRefusing(bool refuse);          // every certificate request, which ends its order
    void setAhead(certmgr::seconds ahead);  // its clock, of ours: certificates begin in our future
    // Renewal information (RFC 9773), the same for every certificate; absent: the CA gives none.
    void suggestRenewal(std::optional<certmgr::RenewalWindow> window);
    int renewalQueries() const;
    std::vector<std::string> replaced() const;  // what newOrder said, the oldest first
    void setRefusingRevocations(bool refuse);   // as of a certificate that is not the account's
    std::vector<std::string> revoked() const;   // serial and CRLReason, "0badcafe 4", the oldest first
    int ordersMade() const;
    int accountsMade() const;
    std::vector<std::string> contacts() const;  // of the account
    int contactUpdates() const;

  private:
    struct Order {
        std::vector<std::string> names;
        std::string chainPem;  // empty until finalized
    };
    certmgr::net::HttpResponse answer(const certmgr::net::HttpRequest& request);
    certmgr::net::HttpResponse orderAnswer(int status, std::size_t number, const Order& order);
    std::string issue(const Order& order, const std::string& csrDer);
    certmgr::net::HttpResponse revoke(const certmgr::net::HttpRequest& request);

    const certmgr::Clock& clock_;
    const certmgr::seconds lifetime_;
    mutable std::mutex mutex_;
    hal::Pkey caKey_;
    certmgr::crypto::X509Ptr ca_;
    std::vector<Order> orders_;
    int accounts_ = 0;
    std::vector<std::string> contacts_;
    int contactUpdates_ = 0;
    int nonces_ = 0;
    std::optional<certmgr::RenewalWindow> window_;
    int renewalQueries_ = 0;
    std::vector<std::string> replaced_;
    std::vector<std::string> revoked_;
    bool refusingRevocations_ = false;
    bool down_ = false;
    bool losing_ = false;
    bool refusing_ = false;
    certmgr::seconds ahead_{0};
};

}  // namespace testing_support
