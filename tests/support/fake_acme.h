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
    static std::string orderUrl(int number);  // 0: the first that it made
    void setDown(bool down);
    void loseNextOrder();                   // makes it, and the connection breaks before its answer
    void setRefusing(bool refuse);          // every certificate request, which ends its order
    void setAhead(certmgr::seconds ahead);  // its clock, of ours: certificates begin in our future
    // Renewal information (RFC 9773), the same for every certificate; absent: the CA gives none.
    void suggestRenewal(std::optional<certmgr::RenewalWindow> window);
    void failRenewalQueries(int status);  // of every answer, without a problem; 0: not any more
    void setRefusingReplaces(
        const std::string& problem);  // every newOrder that replaces something; empty: none
    // Every newOrder with that name (empty: every one), by a problem; with an empty one: not any more.
    struct Refusal {
        std::string problem, detail;
        int status = 429;
        int retryAfter = 0;  // seconds; 0: it does not say
        std::string name = {};
    };
    void refuseOrders(const Refusal& refusal);
    // Whatever is asked for at that path; absent: not any more. A nonce is added.
    void answerAt(const std::string& path, const std::optional<certmgr::net::HttpResponse>& answer);
    void setListingOrders(bool list);  // of the account (RFC 8555 7.1.2.1)
    int renewalQueries() const;
    // Each leads from the CA that signs to a root of that name, by a certificate of that end; the first is
    // given where none is asked for. Without a name: one that cannot be read.
    struct CrossSigned {
        std::string root;
        certmgr::TimePoint end;
    };
    void giveChains(const std::vector<CrossSigned>& chains);
    void setMixingCertificates(bool mix);  // alternate chains are for another leaf
    void setSendingLeavesAlone(bool alone);
    std::string rootPem() const;
    int chainsAsked() const;
    // In its directory, each with the lifetime of its certificates.
    void offerProfiles(std::map<std::string, certmgr::seconds> lifetimes);
    void setRefusingProfiles(bool refuse);           // "invalidProfile", whatever the directory says
    std::vector<std::string> profilesAsked() const;  // by each newOrder, those refused too; empty: none
    std::vector<std::string> replaced() const;       // what newOrder said, the oldest first
    void setRefusingRevocations(bool refuse);        // as of a certificate that is not the account's
    std::vector<std::string> revoked() const;        // serial and CRLReason, "0badcafe 4", the oldest first
    int ordersMade() const;
    int accountsMade() const;
    std::vector<std::string> contacts() const;  // of the account
    int contactUpdates() const;

  private:
    struct Order {
        std::vector<std::string> names;
        std::string profile;
        std::string chainPem;  // empty until finalized
        std::string csrDer;
    };
    certmgr::net::HttpResponse answer(const certmgr::net::HttpRequest& request);
    certmgr::net::HttpResponse orderAnswer(int status, std::size_t number, const Order& order);
    certmgr::net::HttpResponse problem(int status, const std::string& error, const std::string& detail);
    certmgr::net::HttpResponse certificateAnswer(const Order& order, const std::string& url,
                                                 std::size_t number);
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
    int renewalStatus_ = 0;
    std::string replacesProblem_;
    Refusal refusal_;
    std::map<std::string, certmgr::net::HttpResponse> answersAt_;
    bool listing_ = false;
    std::vector<std::string> replaced_;
    std::vector<std::string> upperPems_;  // in the place of the CA's own certificate; empty: unreadable
    bool mixing_ = false;
    bool alone_ = false;
    int chainsAsked_ = 0;
    std::map<std::string, certmgr::seconds> profiles_;
    bool refusingProfiles_ = false;
    std::vector<std::string> profilesAsked_;
    std::vector<std::string> revoked_;
    bool refusingRevocations_ = false;
    bool down_ = false;
    bool losing_ = false;
    bool refusing_ = false;
    certmgr::seconds ahead_{0};
};

}  // namespace testing_support
