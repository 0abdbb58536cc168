// The cases of x509-limbo (tests/data/x509-limbo) against verifyChain and the names of the leaf.
#include <algorithm>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;
using nlohmann::json;

// Where we mean to differ, and why. Every one of them must still differ, or it goes from the list.
const std::map<std::string, std::string> differing{
    {"rfc5280::nc::nc-forbids-alternate-chain-ica",
     "OpenSSL tries one path; a chain that was put in order has one"},
    {"rfc5280::ca-as-leaf", "contradicts webpki::ca-as-leaf, which we follow"},
    {"webpki::cn::case-mismatch", "names are compared without regard to case, RFC 4343"},
    {"webpki::san::no-san", "the documented fallback to the CN, features.md 4"},
};

// We judge servers, and nobody can ask us for a depth of his own.
bool outOfScope(const json& test) {
    const json& features = test.at("features");
    return test.at("validation_kind") != "SERVER" ||
           std::find(features.begin(), features.end(), "max-chain-depth") != features.end();
}

std::vector<X509Ptr> parseAll(const json& texts) {
    std::vector<X509Ptr> all;
    for (const std::string text : texts)
        for (X509Ptr& one : parseChainPem(text)) all.push_back(std::move(one));
    return all;
}

TimePoint timeOf(const json& test) {
    if (test.at("validation_time").is_null()) return std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
    std::istringstream text(test.at("validation_time").get<std::string>().substr(0, 19));
    tm parts{};
    text >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
    return TimePoint(std::chrono::seconds(timegm(&parts)));
}

std::string refusal(const json& test) {
    try {
        std::vector<X509Ptr> chain = parseAll(json::array({test.at("peer_certificate")}));
        for (X509Ptr& one : parseAll(test.at("untrusted_intermediates"))) chain.push_back(std::move(one));
        verifyChain(chain, parseAll(test.at("trusted_certs")), timeOf(test));
        const json& peer = test.at("expected_peer_name");
        if (peer.is_null()) return {};
        const Identifier wanted = peer.at("kind") == "IP" ? ip(peer.at("value")) : dns(peer.at("value"));
        return coversAll(summarize(*chain.front()).names, {wanted}) ? "" : "names-not-covered";
    } catch (const Error& error) {
        return error.what();
    }
}

TEST(Limbo, agreesExceptWhereListed) {
    const json suite =
        json::parse(testing_support::readFile(std::string(CERTMGR_TEST_DATA) + "/x509-limbo/limbo.json"));
    int agreed = 0;
    for (const json& test : suite.at("testcases")) {
        if (outOfScope(test)) continue;
        const std::string id = test.at("id");
        const std::string reason = refusal(test);
        const bool agrees = reason.empty() == (test.at("expected_result") == "SUCCESS");
        EXPECT_EQ(agrees, !differing.contains(id)) << id << ": " << (reason.empty() ? "accepted" : reason);
        agreed += agrees ? 1 : 0;
    }
    RecordProperty("agreed", agreed);
    EXPECT_EQ(agreed, 83);
}

}  // namespace
