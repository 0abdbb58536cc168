#include "tests/integration/acme/acme_world.h"

#include <gtest/gtest.h>

#include "certmgr/acme/response.h"
#include "certmgr/acme/session.h"
#include "certmgr/acme/wire/account.h"
#include "certmgr/acme/wire/order.h"

namespace acme_test {

hal::Pkey copyOf(EVP_PKEY* key) {
    EVP_PKEY_up_ref(key);
    return hal::Pkey(key);
}

acme::Request requestFor(const std::vector<std::string>& names, EVP_PKEY& key) {
    acme::Request request;
    for (const std::string& name : names) request.names.push_back({Identifier::Type::dns, name});
    request.csr = crypto::buildCsr(key, crypto::publicKeyInfoOf(key), request.names);
    return request;
}

std::unique_ptr<acme::Session> World::session(net::HttpClient& client, const std::string& directory) {
    acme::CaSettings settings = ca();
    settings.contacts = account.contacts;
    if (!directory.empty()) settings.directory = directory;
    acme::AccountSettings stored{KeyId::fresh(), account.url,
                                 [this](const acme::Registration& registration) {
                                     account.url = registration.url;
                                     ++account.registrations;
                                 },
                                 account.contactsChanged};
    return std::make_unique<acme::Session>(settings, stored, copyOf(account.key.get()), client);
}

int World::ordersFor(acme::Session& session, const acme::Request& request) {
    acme::Session::Impl& server = session.impl();
    const auto get = [&](const std::string& url) { return server.post(url, "", "the test", {}); };
    std::vector<Identifier> names = request.names;
    std::sort(names.begin(), names.end());
    int count = 0;
    std::optional<std::string> page = acme::wire::parseAccount(get(server.accountUrl({})).body).orders;
    EXPECT_TRUE(page.has_value());
    while (page) {
        const net::HttpResponse response = get(*page);
        for (const std::string& url : acme::wire::parseOrdersList(response.body))
            if (acme::wire::parseOrder(get(url).body).identifiers == names) ++count;
        page = acme::linkTarget(response, "next");
    }
    return count;
}

void expectCertificate(const std::string& chain, const acme::Request& request, EVP_PKEY& key) {
    const auto certificates = crypto::parseChainPem(chain);
    ASSERT_FALSE(certificates.empty());
    std::vector<Identifier> names = request.names;
    std::sort(names.begin(), names.end());
    EXPECT_EQ(crypto::summarize(*certificates.front()).names, names);
    EXPECT_EQ(EVP_PKEY_eq(X509_get0_pubkey(certificates.front().get()), &key), 1);
}

}  // namespace acme_test
