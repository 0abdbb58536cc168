// An nginx whose OpenSSL has the provider activated, with one server block a name.
#pragma once

#include <string>

#include "tests/integration/provider/openssl_service.h"
#include "tests/support/nginx_server.h"

namespace provider_test {

class TlsSite {
  public:
    explicit TlsSite(int workers);

    // A server block for `name` with this key: a reference, or a key file's PEM.
    void add(const std::string& name, const std::string& keyPem);
    void start() { nginx_.start(); }

    std::uint16_t port() { return nginx_.port("https"); }
    testing_support::NginxServer& nginx() { return nginx_; }

  private:
    OpensslService service_;
    testing_support::TemporaryDirectory folder_;  // openssl.cnf
    testing_support::NginxServer nginx_;
    std::string blocks_;
};

// openssl.cnf that activates the provider beside the default one.
std::string opensslConfiguration();

// The environment of a foreign program that loads the provider: OPENSSL_CONF, and what a sanitizer in it
// needs.
std::map<std::string, std::string> serviceEnvironment(const std::filesystem::path& opensslConf);

}  // namespace provider_test
