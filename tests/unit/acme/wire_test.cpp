#include <gtest/gtest.h>

#include "certmgr/acme/wire/authorization.h"
#include "certmgr/acme/wire/directory.h"
#include "certmgr/acme/wire/json.h"
#include "certmgr/acme/wire/order.h"
#include "certmgr/acme/wire/problem.h"
#include "certmgr/acme/wire/renewal_info.h"
#include "certmgr/acme/wire/revocation.h"
#include "certmgr/core/error.h"

namespace certmgr::acme::wire {
namespace {

// RFC 8555 7.1.3
constexpr const char* order = R"({
  "status": "valid", "expires": "2016-01-20T14:09:07.99Z",
  "identifiers": [ {"type": "dns", "value": "www.example.org"}, {"type": "dns", "value": "example.org"} ],
  "authorizations": [ "https://example.com/acme/authz/PAniVnsZcis", "https://example.com/acme/authz/r4HqLzrSrpI" ],
  "finalize": "https://example.com/acme/order/TOlocE8rfgo/finalize",
  "certificate": "https://example.com/acme/cert/mAt3xBGaobw" })";

TEST(Order, OfTheRfc) {
    const Order parsed = parseOrder(order);
    EXPECT_EQ(parsed.status, OrderStatus::valid);
    EXPECT_EQ(parsed.identifiers, (std::vector<Identifier>{{Identifier::Type::dns, "example.org"},
                                                           {Identifier::Type::dns, "www.example.org"}}));
    EXPECT_EQ(parsed.authorizations.size(), 2U);
    EXPECT_EQ(parsed.certificate, "https://example.com/acme/cert/mAt3xBGaobw");
}

TEST(Order, WithAnythingMissingIsNoOrder) {
    for (const std::string member : {"status", "identifiers", "authorizations", "finalize", "certificate"}) {
        nlohmann::json broken = nlohmann::json::parse(order);
        broken.erase(member);
        try {
            parseOrder(broken.dump());
            ADD_FAILURE() << member;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "not-acme");
            EXPECT_NE(std::string(error.what()).find(member), std::string::npos) << error.what();
        }
    }
}

TEST(Order, IsAskedForByNamesAlone) {
    EXPECT_EQ(
        newOrderPayload({{Identifier::Type::dns, "a.example"}, {Identifier::Type::ip, "192.0.2.1"}}, "", ""),
        R"({"identifiers":[{"type":"dns","value":"a.example"},{"type":"ip","value":"192.0.2.1"}]})");
}

TEST(Order, SaysWhatItReplacesAndUnderWhichProfileItIs) {
    EXPECT_EQ(
        newOrderPayload({{Identifier::Type::dns, "a.example"}}, "aYhb.AIdl", "shortlived"),
        R"({"identifiers":[{"type":"dns","value":"a.example"}],"profile":"shortlived","replaces":"aYhb.AIdl"})");
}

std::string renewalInfo(const std::string& start, const std::string& end) {
    return R"({"suggestedWindow": {"start": ")" + start + R"(", "end": ")" + end +
           R"("}, "explanationURL": "https://acme.example.com/docs/ari"})";
}

// RFC 9773 4.2, and the ways in which RFC 3339 lets a time be written.
TEST(RenewalInformation, HasAWindow) {
    const RenewalInfo info =
        parseRenewalInfo(renewalInfo("2025-01-02T04:00:00Z", "2025-01-03T06:30:00.25+02:00"));
    EXPECT_EQ(formatTime(info.window.start), "2025-01-02T04:00:00Z");
    EXPECT_EQ(formatTime(info.window.end), "2025-01-03T04:30:00Z");
    EXPECT_EQ(info.explanationUrl, "https://acme.example.com/docs/ari");
}

TEST(RenewalInformation, ThatMakesNoSenseIsNoAnswer) {
    for (const std::string& document :
         {renewalInfo("2025-01-03T04:00:00Z", "2025-01-02T04:00:00Z"),
          renewalInfo("2025-01-02T04:00:00Z", "2025-01-02T04:00:00Z"), renewalInfo("tomorrow", "2025-01-02"),
          renewalInfo("2025-01-02T04:00:00", "2025-01-03T04:00:00"),
          renewalInfo("2025-01-02T04:00:00+2", "2025-01-03T04:00:00Z"), std::string("{}"),
          std::string("[]")}) {
        try {
            parseRenewalInfo(document);
            ADD_FAILURE() << document;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "not-acme") << document;
        }
    }
}

std::string authorization(const std::string& status, const std::string& token) {
    return nlohmann::json{{"status", status},
                          {"identifier", {{"type", "dns"}, {"value", "example.org"}}},
                          {"challenges",
                           {{{"type", "dns-01"}, {"url", "https://ca/1"}, {"token", "x"}},
                            {{"type", "http-01"}, {"url", "https://ca/2"}, {"token", token}}}}}
        .dump();
}

TEST(Authorization, HasItsChallenges) {
    const Authorization parsed = parseAuthorization(authorization("pending", "DGyRejmCefe7v4NfDGDKfA"));
    EXPECT_EQ(parsed.status, AuthorizationStatus::pending);
    ASSERT_EQ(parsed.challenges.size(), 2U);
    EXPECT_EQ(parsed.challenges[1].token, "DGyRejmCefe7v4NfDGDKfA");
    for (const char* const status : {"invalid", "deactivated", "expired", "revoked"})
        EXPECT_EQ(parseAuthorization(authorization(status, "abc")).status, AuthorizationStatus::invalid);
    EXPECT_THROW(parseAuthorization(authorization("dreaming", "abc")), Error);
}

TEST(Authorization, TokensAreFitForAFileName) {
    for (const std::string token : {"", "../../etc/passwd", "a/b", "a.b", "a b", "a\n"})
        EXPECT_THROW(parseAuthorization(authorization("pending", token)), Error) << token;
    EXPECT_THROW(parseAuthorization(authorization("pending", std::string(129, 'a'))), Error);
}

// draft-ietf-acme-dns-persist-01 3.1
Challenge persistChallenge(const nlohmann::json& members) {
    nlohmann::json object{{"type", "dns-persist-01"}, {"url", "https://ca.example/1"}, {"status", "pending"}};
    object.update(members);
    return readChallenge(Object(object, "the challenge"));
}

TEST(PersistChallenge, HasNoTokenAndNamesTheCa) {
    const Challenge challenge =
        persistChallenge({{"issuer-domain-names", {"authority.example", "ca.example.net"}},
                          {"accounturi", "https://ca.example/acct/123"}});
    EXPECT_EQ(challenge.token, "");
    EXPECT_EQ(challenge.issuers, (std::vector<std::string>{"authority.example", "ca.example.net"}));
    EXPECT_EQ(challenge.account, "https://ca.example/acct/123");
    EXPECT_EQ(challenge.flaw, "");
    EXPECT_EQ(persistChallenge({{"token", ""}, {"issuer-domain-names", {"a.example"}}}).flaw, "");
}

TEST(PersistChallenge, MalformedSpoilsNothingButItself) {
    EXPECT_EQ(persistChallenge(nlohmann::json::object()).flaw,
              "is offered with 0 issuer-domain-names, expected 1 to 10 (draft-ietf-acme-dns-persist-01)");
    EXPECT_NE(persistChallenge({{"issuer-domain-names", "a.example"}}).flaw, "");
    EXPECT_NE(persistChallenge({{"issuer-domain-names", std::vector<std::string>(11, "a.example")}}).flaw,
              "");
    EXPECT_EQ(persistChallenge({{"issuer-domain-names", std::vector<std::string>(10, "a.example")}}).flaw,
              "");
    for (const std::string name : {"A.example", "a.example.", "", "a b.example", "\x1b[2J"})
        EXPECT_EQ(persistChallenge({{"issuer-domain-names", {name}}}).flaw,
                  "is offered with issuer-domain-names that are no names in lower case")
            << name;
    EXPECT_NE(persistChallenge({{"issuer-domain-names", {std::string(254, 'a')}}}).flaw, "");
}

TEST(Directory, OfTheRfc) {
    const Directory directory = parseDirectory(R"({
      "newNonce": "https://example.com/acme/new-nonce", "newAccount": "https://example.com/acme/new-account",
      "newOrder": "https://example.com/acme/new-order", "revokeCert": "https://example.com/acme/revoke-cert",
      "meta": {"termsOfService": "https://example.com/acme/terms/2017-5-30", "externalAccountRequired": true} })");
    EXPECT_EQ(directory.newOrder, "https://example.com/acme/new-order");
    EXPECT_EQ(directory.termsOfService, "https://example.com/acme/terms/2017-5-30");
    EXPECT_EQ(directory.revokeCert, "https://example.com/acme/revoke-cert");
    EXPECT_TRUE(directory.externalAccountRequired);
    EXPECT_TRUE(directory.caaIdentities.empty());
}

TEST(Directory, SaysHowCaaRecordsNameTheCa) {
    const auto identities = [](const std::string& value) {
        return parseDirectory(
                   R"({"newNonce": "https://ca/1", "newAccount": "https://ca/2", "newOrder": "https://ca/3",
                                  "meta": {"caaIdentities": )" +
                   value + "}}")
            .caaIdentities;
    };
    EXPECT_EQ(identities(R"(["example.com", "example.org"])"),
              (std::vector<std::string>{"example.com", "example.org"}));
    EXPECT_TRUE(identities(R"("example.com")").empty()) << "what is only of use beforehand stops no order";
}

// RFC 8555 7.6: base64url without padding, and the number of CRLReason.
TEST(Revocation, CarriesTheCertificateAndTheReason) {
    const std::vector<std::uint8_t> der{0xfb, 0xff, 0x00, 0x01};
    EXPECT_EQ(revocationPayload(der, RevocationReason::cessationOfOperation),
              R"({"certificate":"-_8AAQ","reason":5})");
    EXPECT_EQ(revocationPayload({}, RevocationReason::unspecified), R"({"certificate":"","reason":0})");
}

// What copies or writes a document goes down through all its levels, and the stack ends.
TEST(Json, OfManyLevelsIsReadWithoutThem) {
    const std::string deep(100'000, '[');
    const std::string upper(100'000, ']');
    const Object object = Object::parse("{\"meta\": {\"x\": " + deep + upper + "}, \"y\": \"z\"}", "it");
    EXPECT_EQ(object.text("y"), "z");
    EXPECT_LT(object.optionalObject("meta")->dump().size(), 100U);
    EXPECT_EQ(parseProblem("{\"detail\": \"d\", \"x\": " + deep + upper + "}").detail, "d");
}

}  // namespace
}  // namespace certmgr::acme::wire
