// Two real name servers, knot: a primary on 127.0.0.1 that takes updates with a TSIG key, and a secondary on
// 127.0.0.2 that follows it. They have the zones gw.example and proofs.example; for broken.example the
// primary fails.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "certmgr/acme/solvers/dns_zones.h"
#include "tests/support/child_process.h"

namespace testing_support {

class KnotServers {
  public:
    // `following`: the secondary is told of changes; false: it stays at what it has.
    explicit KnotServers(bool following = true);

    static constexpr const char* keyName = "certmgr";
    static std::string secret();
    std::uint16_t port() const { return port_; }
    certmgr::net::DnsServer primary() const { return {"127.0.0.1", port_}; }
    certmgr::net::DnsServer secondary() const { return {"127.0.0.2", port_}; }
    // That prove the names of both zones.
    certmgr::acme::DnsSettings settings() const;
    std::shared_ptr<certmgr::acme::DnsZones> table() const { return tableOf(settings()); }
    // `run`: its program, where it has one.
    static std::shared_ptr<certmgr::acme::DnsZones> tableOf(const certmgr::acme::DnsSettings& settings,
                                                            hal::CommandRunner run = {}) {
        return std::make_shared<certmgr::acme::DnsZones>(std::vector{settings}, std::move(run));
    }
    certmgr::net::TsigKey key() const { return {keyName, "hmac-sha256", secret()}; }

    void stopPrimary() { primaryProcess_.reset(); }
    void startPrimary();
    void stopSecondary() { secondaryProcess_.reset(); }
    // What is at a name that gw.example's certificates are proved by.
    std::vector<std::string> proofsAt(const std::string& owner) const;
    const std::filesystem::path& folder() const { return folder_.path(); }

  private:
    void write(const std::string& name, const std::string& parts, const std::string& listen) const;
    void start(std::optional<ChildProcess>& process, const std::string& name, const std::string& address);

    TemporaryDirectory folder_;
    const std::uint16_t port_ = freePort();
    std::optional<ChildProcess> primaryProcess_;
    std::optional<ChildProcess> secondaryProcess_;
};

}  // namespace testing_support
