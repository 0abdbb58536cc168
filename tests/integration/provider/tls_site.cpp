#include "tests/integration/provider/tls_site.h"

#include <stdexcept>

namespace provider_test {
using namespace testing_support;

TlsSite::TlsSite(int workers)
    : nginx_({.workers = workers, .environment = serviceEnvironment(folder_ / "openssl.cnf")}) {
    writeFile(folder_ / "openssl.cnf", opensslConfiguration());
}

void TlsSite::add(const std::string& name, const std::string& keyPem) {
    const hal::Pkey key = service_.load(keyPem);
    if (!key) throw std::runtime_error("the key of " + name + " cannot be loaded: " + takeErrors());
    writeFile(nginx_.folder() / (name + ".crt"), selfSigned(service_, key, name));
    writeFile(nginx_.folder() / (name + ".key"), keyPem);
    blocks_ += "server { listen 127.0.0.1:@port:https@ ssl; server_name " + name +
               "; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;" +
               " ssl_certificate @folder@/" + name + ".crt; ssl_certificate_key @folder@/" + name +
               ".key; location / { return 200 ok; } }\n";
    nginx_.configure(blocks_);
}

std::string opensslConfiguration() {
    return R"(openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
certmgr = certmgr_sect
[default_sect]
activate = 1
[certmgr_sect]
activate = 1
module = )" CERTMGR_PROVIDER_FOLDER "/certmgr.so\n";
}

std::map<std::string, std::string> serviceEnvironment(const std::filesystem::path& opensslConf) {
    std::map<std::string, std::string> environment{{"OPENSSL_CONF", opensslConf.string()}};
    if (const std::string runtime = CERTMGR_SANITIZER_RUNTIME; !runtime.empty()) {
        environment["LD_PRELOAD"] = runtime;             // with the C++ library, whose exceptions it watches
        environment["ASAN_OPTIONS"] = "detect_leaks=0";  // the foreign program's leaks are its own
    }
    return environment;
}

}  // namespace provider_test
