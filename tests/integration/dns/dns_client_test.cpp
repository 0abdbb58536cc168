// Against a real knot.
#include "certmgr/net/dns_client.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "certmgr/core/error.h"
#include "tests/support/knot_server.h"

namespace certmgr::net {
namespace {

using testing_support::KnotServers;
using Texts = std::vector<std::string>;

class DnsClientTest : public testing::Test {
  protected:
    template <class Call>
    Error failureOf(Call call) {
        try {
            call();
        } catch (const Error& error) {
            return error;
        }
        return Error(ErrorKind::internal, "none", "no error");
    }
    const DnsRecord record_{"gw.example", "_acme-challenge.gw.example", "one"};
    KnotServers knot_;
    DnsClient client_{knot_.primary()};
};

TEST_F(DnsClientTest, reads) {
    EXPECT_EQ(client_.alias("_ACME-challenge.away.gw.example"), "away.proofs.example");
    EXPECT_FALSE(client_.alias("gw.example").has_value());
    EXPECT_FALSE(client_.alias("_acme-challenge.gw.example").has_value());
    Texts servers = client_.nameServers("gw.example");
    std::ranges::sort(servers);
    EXPECT_EQ(servers, (Texts{"ns1.gw.example", "ns2.gw.example"}));
    EXPECT_EQ(client_.addresses("ns2.gw.example"), Texts{"127.0.0.2"});
    EXPECT_EQ(client_.texts("gw.example"), Texts{});
}

TEST_F(DnsClientTest, addsAndRemovesOneRecordAmongOthers) {
    DnsRecord other = record_;
    other.text = "two words; and more";
    for (const DnsRecord& each : {record_, other, record_}) client_.add(each, knot_.key());
    Texts texts = client_.texts(record_.owner);
    std::ranges::sort(texts);
    EXPECT_EQ(texts, (Texts{record_.text, other.text}));
    client_.remove(record_, knot_.key());
    EXPECT_EQ(client_.texts(record_.owner), Texts{other.text});
    client_.remove(record_, knot_.key());
    client_.remove(other, knot_.key());
    EXPECT_EQ(client_.texts(record_.owner), Texts{});
}

TEST_F(DnsClientTest, saysWhyAnUpdateIsRefused) {
    TsigKey wrong = knot_.key();
    wrong.secret = "bm90IHRoZSBzZWNyZXQgdGhhdCB0aGUgc2VydmVyIGhhcw==";
    TsigKey unknown = knot_.key();
    unknown.name = "nobody";
    TsigKey other = knot_.key();
    other.algorithm = "hmac-sha512";
    for (const TsigKey& key : {wrong, unknown, other}) {
        const Error error = failureOf([&] { client_.add(record_, key); });
        EXPECT_EQ(error.code(), "dns-refused") << error.what();
        EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
        EXPECT_EQ(std::string(error.what()).find(key.secret), std::string::npos);
    }
    const DnsRecord elsewhere{"other.example", "_acme-challenge.other.example", "one"};
    EXPECT_EQ(failureOf([&] { client_.add(elsewhere, knot_.key()); }).code(), "dns-refused");
    TsigKey bad = knot_.key();
    for (const char* const secret : {"not base64!", "", "abc", "=abc", "ab=c"}) {
        bad.secret = secret;
        EXPECT_EQ(failureOf([&] { client_.add(record_, bad); }).code(), "bad-dns-key") << secret;
    }
    EXPECT_EQ(client_.texts(record_.owner), Texts{});
}

TEST_F(DnsClientTest, aServerThatIsNotThereIsTransient) {
    const DnsClient nobody({"127.0.0.1", testing_support::freePort()});
    for (const Error& error : {failureOf([&] { nobody.add(record_, knot_.key()); }),
                               failureOf([&] { nobody.texts("gw.example"); })}) {
        EXPECT_EQ(error.code(), "dns-unreachable") << error.what();
        EXPECT_EQ(error.kind(), ErrorKind::transient);
    }
    EXPECT_EQ(failureOf([&] { client_.texts("other.example"); }).code(), "dns-failed") << "not its zone";
    EXPECT_EQ(failureOf([&] { client_.texts(std::string(70, 'a') + ".example"); }).code(), "bad-dns-name");
}

}  // namespace
}  // namespace certmgr::net
