#include "certmgr/core/identifier.h"

#include <gtest/gtest.h>

#include "certmgr/core/error.h"

namespace certmgr {
namespace {

using Type = Identifier::Type;

std::string refusal(const std::string& text) {
    try {
        parseIdentifier(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "bad-name");
        EXPECT_EQ(error.kind(), ErrorKind::rejected);
        return error.what();
    }
    return "accepted";
}

TEST(Identifier, isNormalised) {
    EXPECT_EQ(parseIdentifier("GW.Example.ORG."), (Identifier{Type::dns, "gw.example.org"}));
    EXPECT_EQ(parseIdentifier("*.example.org"), (Identifier{Type::dns, "*.example.org"}));
    EXPECT_EQ(parseIdentifier("localhost"), (Identifier{Type::dns, "localhost"}));
    EXPECT_EQ(parseIdentifier("192.0.2.7"), (Identifier{Type::ip, "192.0.2.7"}));
    EXPECT_EQ(parseIdentifier("2001:DB8:0:0::1"), (Identifier{Type::ip, "2001:db8::1"}));
    EXPECT_TRUE(parseIdentifier("*.example.org").wildcard());
}

struct Refused {
    std::string text;
    const char* says;
};
class RefusedName : public testing::TestWithParam<Refused> {};

TEST_P(RefusedName, saysWhatIsWrong) {
    EXPECT_NE(refusal(GetParam().text).find(GetParam().says), std::string::npos) << refusal(GetParam().text);
}

const std::string label63(63, 'a');
INSTANTIATE_TEST_SUITE_P(
    all, RefusedName,
    testing::Values(
        Refused{"", "is empty"}, Refused{".", "DNS root"}, Refused{"a..example", "empty label"},
        Refused{".example", "empty label"}, Refused{label63 + "a.example", "64 characters; DNS allows 63"},
        Refused{label63 + "." + label63 + "." + label63 + "." + label63, "255 characters; DNS allows 253"},
        Refused{"under_score.example", "\"_\""}, Refused{"two words.example", "\"?\""},
        Refused{"-a.example", "hyphen"}, Refused{"a-.example", "hyphen"}, Refused{"a.*.example", "\"*\""},
        Refused{"*", "\"*\""}, Refused{"w*.example", "\"*\""}, Refused{"*.*.example", "\"*\""},
        Refused{"b\xc3\xbc"
                "cher.example",
                "xn--"},
        Refused{"1.2.3", "number"}, Refused{"300.1.1.1", "no valid IPv4"}, Refused{"[::1]", "brackets"},
        Refused{"a.example:443", "port"}, Refused{"https://a.example", "https://"},
        Refused{std::string("1.2.3.4\0x", 9), "\"?\""}));

TEST(Identifier, longestNamesAreAccepted) {
    const std::string name = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
    EXPECT_EQ(parseIdentifier(name).value.size(), 253u);
    EXPECT_EQ(parseIdentifier(name + ".").value.size(), 253u);
}

TEST(Identifier, messageIsBoundedAndPrintable) {
    const std::string message = refusal(std::string("\x1b[2J") + std::string(100000, 'x'));
    EXPECT_LT(message.size(), 300u);
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(Identifier, listsAreSortedWithoutRepetition) {
    const auto names = parseIdentifiers({"b.example", "A.example", "b.example.", "10.0.0.1"});
    EXPECT_EQ(names, (std::vector<Identifier>{
                         {Type::dns, "a.example"}, {Type::dns, "b.example"}, {Type::ip, "10.0.0.1"}}));
    EXPECT_THROW(parseIdentifiers({}), Error);
    std::vector<std::string> many;
    for (int i = 0; i < 100; ++i) many.push_back("n" + std::to_string(i) + ".example");
    EXPECT_EQ(parseIdentifiers(many).size(), 100u);
    many.emplace_back("one-more.example");
    EXPECT_THROW(parseIdentifiers(many), Error);
}

TEST(Identifier, wildcardCoversExactlyOneLabel) {
    const auto covered = [](const char* presented, const char* wanted) {
        return covers(parseIdentifier(presented), parseIdentifier(wanted));
    };
    EXPECT_TRUE(covered("*.example.org", "a.example.org"));
    EXPECT_TRUE(covered("*.example.org", "*.example.org"));
    EXPECT_TRUE(covered("10.0.0.1", "10.0.0.1"));
    EXPECT_FALSE(covered("*.example.org", "example.org"));
    EXPECT_FALSE(covered("*.example.org", "a.b.example.org"));
    EXPECT_FALSE(covered("*.example.org", "*.b.example.org"));
    EXPECT_FALSE(covered("a.example.org", "*.example.org"));
    EXPECT_FALSE(covered("*.0.0.1.example", "10.0.0.1"));
    EXPECT_FALSE(covered("*.org", "a.example.org"));
    EXPECT_TRUE(
        coversAll(parseIdentifiers({"*.x.org", "y.org"}), parseIdentifiers({"a.x.org", "b.x.org", "y.org"})));
    EXPECT_FALSE(coversAll(parseIdentifiers({"*.x.org"}), parseIdentifiers({"a.x.org", "y.org"})));
}

TEST(WhyNotPublic, namesWhatStandsAgainstIt) {
    for (const char* name : {"gw",          "gw.local",        "gw.test",          "test",
                             "gw.example",  "www.example.com", "gw.invalid",       "a.localhost",
                             "gw.internal", "gw.home.arpa",    "x.onion",          "gw.lan",
                             "gw.corp",     "*.example.org",   "0.1.2.3",          "10.255.0.1",
                             "100.64.0.1",  "100.127.255.255", "127.0.0.1",        "169.254.1.1",
                             "172.16.0.1",  "172.31.255.255",  "192.0.0.8",        "192.0.2.1",
                             "192.168.1.1", "198.18.0.1",      "198.19.255.255",   "198.51.100.1",
                             "203.0.113.1", "224.0.0.1",       "255.255.255.255",  "::1",
                             "::",          "::ffff:8.8.8.8",  "64:ff9b::808:808", "64:ff9b:1::1",
                             "100::1",      "2001:db8::1",     "2001:0:1::1",      "2001:2::1",
                             "2001:10::1",  "2001:20::1",      "2002::1",          "3fff:fff::1",
                             "5f00::1",     "fc00::1",         "fd12::1",          "fe80::1",
                             "ff02::1",     "4000::1"})
        EXPECT_GT(whyNotPublic(parseIdentifier(name)).size(), 30u) << name;
}

TEST(WhyNotPublic, isSilentAboutPublicNames) {
    for (const char* name :
         {"gw.example.de",    "mylocal.org",     "test.org",        "local.org",       "a.contest",
          "xn--bcher-kva.de", "8.8.8.8",         "11.0.0.1",        "100.63.255.255",  "100.128.0.1",
          "172.15.0.1",       "172.32.0.1",      "192.0.0.9",       "192.0.1.1",       "198.17.0.1",
          "198.20.0.1",       "223.255.255.255", "2606:4700::1111", "2001:4860::8888", "2001:1::1",
          "2001:200::1",      "3fff:1000::1"})
        EXPECT_EQ(whyNotPublic(parseIdentifier(name)), "") << name;
}

}  // namespace
}  // namespace certmgr
