#include "tests/support/knot_server.h"

#include "certmgr/core/error.h"

namespace testing_support {
namespace {

const std::vector<std::string> zones{"gw.example", "proofs.example"};

constexpr const char* records = R"(
$TTL 60
@ SOA ns1 admin 1 60 60 3600 1
@ NS ns1
@ NS ns2
@ A 127.0.0.1
* A 127.0.0.1
ns1 A 127.0.0.1
ns2 A 127.0.0.2
)";
// What its owner leaves to another zone, and to another name.
constexpr const char* aliases = R"(
_acme-challenge.away CNAME away.proofs.example.
_acme-challenge.beside CNAME beside.elsewhere
*.wild CNAME ns2
_acme-challenge.circle CNAME _acme-challenge.circle
_validation-persist.away CNAME persist.proofs.example.
_validation-persist.circle CNAME _validation-persist.circle
)";
// What a CA asks of a name.
constexpr const char* answerRecords = R"(
six AAAA 2001:db8::6
only CAA 0 issue "ca.example; accounturi=https://ca.example/1"
only CAA 128 unknown "value"
nobody-may CAA 0 issue ""
alias CNAME ns2
alias-of-only CNAME only
alias-away CNAME proofs.example.
)";

// More than a datagram takes.
std::string manyAddresses() {
    std::string many;
    for (int i = 1; i <= 120; ++i) many += "many A 192.0.2." + std::to_string(i) + "\n";
    return many;
}

}  // namespace

KnotServers::KnotServers(bool following) {
    const std::string port = "@" + std::to_string(port_);
    std::string primary = "remote:\n  - id: secondary\n    address: 127.0.0.2" + port +
                          "\nkey:\n  - id: " + keyName +
                          "\n    algorithm: hmac-sha256\n    secret: " + secret() +
                          "\nacl:\n  - id: update\n    key: " + keyName +
                          "\n    action: update\n    update-type: [TXT]\n  - id: transfer\n    address: "
                          "127.0.0.0/8\n    action: transfer\nzone:\n";
    std::string secondary = "remote:\n  - id: primary\n    address: 127.0.0.1" + port +
                            "\nacl:\n  - id: notify\n    address: 127.0.0.0/8\n    action: notify\nzone:\n";
    for (const std::string& zone : zones) {
        writeFile(folder_ / (zone + ".zone"),
                  "$ORIGIN " + zone + ".\n" + records +
                      (zone == zones.front() ? aliases + std::string(answerRecords) + manyAddresses() : ""));
        const std::string own = "  - domain: " + zone + "\n    storage: " + folder_.path().string() +
                                "\n    file: " + zone + ".zone\n    zonefile-sync: -1\n";
        primary += own + "    acl: [update, transfer]\n" + (following ? "    notify: secondary\n" : "");
        secondary += following ? "  - domain: " + zone + "\n    storage: " + (folder_ / "copies").string() +
                                     "\n    master: primary\n    acl: notify\n"
                               : own;
    }
    // A zone without a file, for which it fails.
    primary +=
        "  - domain: broken.example\n    storage: " + folder_.path().string() + "\n    file: none.zone\n";
    std::filesystem::create_directory(folder_ / "copies");
    write("primary", primary, "127.0.0.1" + port);
    write("secondary", secondary, "127.0.0.2" + port);
    writeFile(folder_ / "secret", secret() + "\n");
    std::filesystem::permissions(folder_ / "secret", std::filesystem::perms(0600));
    startPrimary();
    start(secondaryProcess_, "secondary", "127.0.0.2");
}

std::string KnotServers::secret() {
    return "c2VjcmV0IG9mIGEgdGVzdCwga25vd24gdG8gYWxsISE=";
}

void KnotServers::write(const std::string& name, const std::string& parts, const std::string& listen) const {
    const std::string folder = folder_ / name;
    std::filesystem::create_directory(folder);
    writeFile(folder + ".conf", "server:\n  listen: " + listen + "\n  rundir: " + folder +
                                    "\n  tcp-workers: 1\n  udp-workers: 1\n  background-workers: 1\n" +
                                    "database:\n  storage: " + folder +
                                    "\nlog:\n  - target: stderr\n    any: info\n" + parts);
}

void KnotServers::start(std::optional<ChildProcess>& process, const std::string& name,
                        const std::string& address) {
    const std::string configuration = folder_ / (name + ".conf");
    const std::filesystem::path log = folder_ / (name + ".log");
    std::filesystem::remove(log);
    process.emplace(std::vector<std::string>{"knotd", "-c", configuration},
                    ChildProcess::Options{.output = log});
    // A question that came before would be lost, and its answer waited for.
    waitUntil("knot's " + name + " is up",
              [&] { return readFile(log).find("server started") != std::string::npos; });
    const certmgr::net::DnsClient client({address, port_});
    waitUntil("knot's " + name + " has its zones", [&] {
        try {
            for (const std::string& zone : zones)
                if (client.nameServers(zone).empty()) return false;
            return true;
        } catch (const certmgr::Error&) {
            return false;
        }
    });
}

void KnotServers::startPrimary() {
    start(primaryProcess_, "primary", "127.0.0.1");
}

certmgr::acme::DnsSettings KnotServers::settings() const {
    certmgr::acme::DnsSettings settings;
    settings.zones = zones;
    settings.means = certmgr::acme::DnsUpdateSettings{
        .server = primary(), .keyName = keyName, .secretFile = folder_ / "secret"};
    return settings;
}

std::vector<std::string> KnotServers::proofsAt(const std::string& owner) const {
    return certmgr::net::DnsClient(primary()).texts(owner);
}

}  // namespace testing_support
