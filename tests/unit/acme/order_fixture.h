// One order at the CA in memory, with a journal that is forgotten.
#pragma once

#include <gtest/gtest.h>

#include "certmgr/acme/issue.h"
#include "certmgr/core/error.h"
#include "tests/support/fake_acme.h"
#include "tests/support/fake_solver.h"
#include "tests/support/manual_clock.h"

namespace certmgr::acme {

struct ForgetfulJournal : OrderJournal {
    std::optional<std::string> orderUrl() override { return url; }
    bool newOrderWasSent() override { return sent; }
    bool isKnownOrder(const std::string&) override { return false; }
    std::vector<std::string> ordersGivenUp() override { return givenUp; }
    bool takeKeyOf(const std::string& chain) override {
        shown.push_back(chain);
        return takesKeys;
    }
    void sendingNewOrder(bool) override { sent = true; }
    void newOrderRefused() override { sent = false; }
    void orderLost(const std::string&) override {}
    void orderCreated(const std::string& order) override { url = order; }
    void orderAbandoned(const std::string& reason) override {
        abandoned = reason;
        url.reset();
        sent = false;
    }
    void activity(const std::string&) override {}
    std::optional<std::string> url;
    bool sent = false;
    std::string abandoned;                    // why
    std::vector<std::string> givenUp, shown;  // `shown`: chains for another key than the request's
    bool takesKeys = false;
};

class OrderTest : public testing::Test {
  protected:
    Issued order(const AcmeProfile& profile, const ChainWish& chain = {}, const std::string& replaces = "") {
        const std::vector<Identifier> names = parseIdentifiers({"gw.example"});
        return issue(session_,
                     {names, crypto::buildCsr(*key_, crypto::publicKeyInfoOf(*key_), names), replaces,
                      profile, [chain] { return chain; }},
                     {{solver_}}, journal_, {});
    }

    hal::Pkey key_{EVP_EC_gen("P-256")};
    testing_support::ManualClock clock_{TimePoint(seconds(1'800'000'037))};
    testing_support::FakeAcme ca_{clock_};
    testing_support::FakeAcme::Client http_{ca_};
    testing_support::FakeSolver solver_;
    Session session_{{"fake", testing_support::FakeAcme::directory, "", {}, true},
                     {},
                     hal::Pkey(EVP_EC_gen("P-256")),
                     http_};
    ForgetfulJournal journal_;
};

}  // namespace certmgr::acme
