// A proxy that looks into TLS, and how it is seen whose leaves it shows.
#include <thread>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "certmgr/crypto/x509.h"
#include "certmgr/deploy/tls_probe.h"
#include "tests/integration/deploy/listener.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

hal::Pkey keyFrom(const std::string& pem) {
    const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return hal::Pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

// One client's connection; returns the name that it asked for.
std::string answer(const testing_support::Listener& listener, const Item& leaf,
                   const std::vector<hal::X509Ptr>& sentWithIt) {
    const hal::UniqueFd connection = listener.accept();
    std::string request;
    for (char c; !request.ends_with("\r\n\r\n") && ::recv(connection.get(), &c, 1, 0) == 1;) request += c;
    const std::string yes = "HTTP/1.1 200 Connection established\r\n\r\n";
    EXPECT_GT(::send(connection.get(), yes.data(), yes.size(), MSG_NOSIGNAL), 0);
    const hal::SslContext context(SSL_CTX_new(TLS_server_method()));
    const hal::X509Ptr certificate = std::move(crypto::parseChainPem(leaf.credential.chainPem).front());
    EXPECT_EQ(SSL_CTX_use_certificate(context.get(), certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), keyFrom(leaf.keyReferencePem).get()), 1);
    for (const hal::X509Ptr& one : sentWithIt)
        EXPECT_EQ(SSL_CTX_add1_chain_cert(context.get(), one.get()), 1);
    const hal::SslPtr ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), connection.get());
    EXPECT_EQ(SSL_accept(ssl.get()), 1);
    const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
}

class InspectingProxy : public testing::Test {
  protected:
    Seen look(const std::vector<hal::X509Ptr>& sentWithTheLeaf) {
        ProbeTarget target;
        target.kind = ProbeKind::httpsProxy;
        target.port = listener_.port();
        target.site = "www.example:443";
        target.timeout = std::chrono::seconds(20);
        const std::jthread proxy([&] { asked_ = answer(listener_, leaf_, sentWithTheLeaf); });
        return TlsProbe().look(target, {Identifier::Type::dns, "proxy.example"}, {});
    }
    // The intermediate of an issuer: all of them have one name.
    static hal::X509Ptr signerOf(const Item& item) {
        return std::move(crypto::parseChainPem(item.credential.chainPem).at(1));
    }

    const testing_support::TestIssuer issuer_, other_;
    const Item leaf_ = issuer_.issue("www.example", 1);
    const testing_support::Listener listener_{AF_INET};
    std::string asked_;
};

TEST_F(InspectingProxy, IsSeenByTheCaThatSignedItsLeaf) {
    std::vector<hal::X509Ptr> sent;
    sent.push_back(signerOf(other_.issue("www.example", 1)));
    sent.push_back(signerOf(leaf_));
    const Seen seen = look(sent);
    EXPECT_EQ(seen.problem, "");
    EXPECT_EQ(seen.chainSha256, (std::vector{crypto::sha256Hex(*sent[1]), crypto::sha256Hex(*sent[0])}));
    EXPECT_EQ(asked_, "www.example") << "the site, not what the CA is called";
}

TEST_F(InspectingProxy, IsNotBelievedForACaOfTheSameNameThatItSends) {
    std::vector<hal::X509Ptr> sent;
    sent.push_back(signerOf(other_.issue("www.example", 1)));
    ASSERT_EQ(
        X509_NAME_cmp(X509_get_subject_name(sent[0].get()), X509_get_subject_name(signerOf(leaf_).get())), 0);
    const Seen seen = look(sent);
    EXPECT_EQ(seen.problem, "the proxy's leaf is signed by none of the 1 certificates that it sends with it");
    EXPECT_TRUE(seen.chainSha256.empty());
}

}  // namespace
}  // namespace certmgr::deploy
