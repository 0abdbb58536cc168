// The administrator's and the vendor's files, validated. docs: certmgr.toml(5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/acme/dns_settings.h"
#include "certmgr/acme/issue.h"
#include "certmgr/authority/authority.h"
#include "certmgr/core/alarm_verdict.h"
#include "certmgr/core/service_profile.h"

namespace certmgr::config {

struct AlarmSettings {
    AlarmRules rules;
    std::filesystem::path metricsFile;  // for Prometheus' textfile collector; empty: none
    std::vector<std::string> program;   // told of every alarm and its end, with its arguments; empty: none
    seconds programLimit{30};
};

// How a CA gets through the box's own packet filter.
enum class PortOpening { none, nftables };

struct PortSettings {
    PortOpening opener = PortOpening::none;
    std::vector<std::string> command;  // is run instead of certmgr-port@.service; empty: none
    std::string family = "inet";
    std::string table = "filter";
    std::string set = "certmgr_open_ports";
    seconds limit{3600};  // as long as a CA is waited for
};

struct Settings {
    std::filesystem::path stateDirectory = "/var/lib/certmgr";             // database and live/
    std::filesystem::path challengeDirectory = "/run/certmgr/challenges";  // webroot: TOKEN files below it
    std::filesystem::path tlsChallengeDirectory = "/run/certmgr/tls-challenges";
    std::vector<std::filesystem::path> serviceDirectories = {"/usr/lib/certmgr/services.d",
                                                             "/etc/certmgr/services.d"};
    std::filesystem::path installDirectory = "/var/lib/certmgr-install";  // what certmgr-install writes
    std::string keydSocket = "/run/certmgr-keyd/keyd.sock";
    std::string providerModule;  // path of the OpenSSL provider; empty: OpenSSL finds it by name
    hal::KeyAlgorithm keyAlgorithm = hal::KeyAlgorithm::ecP256;  // for certificates that do not say otherwise
    hal::KeyPolicy keyPolicy = hal::KeyPolicy::preferTpm;
    authority::AuthoritySettings authority;
    std::vector<std::filesystem::path> caDirectories = {"/usr/lib/certmgr/ca.d", "/etc/certmgr/ca.d"};
    std::vector<acme::CaSettings> cas;       // in order of preference; empty: no ACME
    std::vector<acme::CaSettings> trialCas;  // those that `staging` of a CA names
    bool acmeEnabled = true;
    bool publicNamesOnly = true;       // false: ask for private names too (a CA inside the company, tests)
    std::uint16_t challengePort = 80;  // of loopback, where challenges are served; 0: not awaited
    std::uint16_t tlsChallengePort = 443;
    PortSettings ports;
    // On which CAs ask (RFC 8555 8.3, RFC 8737 3), where the box does not have them elsewhere.
    std::uint16_t httpPort() const { return challengePort ? challengePort : 80; }
    std::uint16_t tlsPort() const { return tlsChallengePort ? tlsChallengePort : 443; }
    std::vector<acme::DnsSettings> dns;
    std::vector<ChallengeKind> challenges = {ChallengeKind::http01};  // in order of preference
    std::optional<bool> preflight;             // absent: where only public names are asked for
    std::vector<std::string> publicAddresses;  // where the box is reached from outside, beyond its own
    net::DnsServer resolver;                   // empty: those of /etc/resolv.conf
    int workers = 16;                          // jobs that run at once, mostly waiting for a CA
    bool requireTimeSync = false;
    std::filesystem::path systemTrustFile = "/etc/ssl/certs/ca-certificates.crt";  // what the box trusts
    AlarmSettings alarms;
};

// `file` missing: the defaults. Every wrong line is an Error(misconfigured, "bad-config"): file, line,
// column, what was found and what was expected; unknown keys are errors and name the nearest known one.
// Reading changes nothing.
Settings loadSettings(const std::filesystem::path& file);

// Every *.toml of the directories; a file of the same name in a later directory replaces the earlier one
// whole, a file NAME.toml.d/*.conf drops in, key by key; an empty file or a link to /dev/null switches it
// off. Sorted by name.
std::vector<ServiceProfile> loadProfiles(const Settings& settings);

// What the profiles want together, by id: those who want the same names share one certificate, and the users
// of all may sign with its key. One who reads the key from a file decides for those who prefer a TPM.
// Contradicting key policies, algorithms, profiles of a CA, preferred chains or switches are an
// Error(misconfigured, "bad-config") that names both files. Pure.
std::vector<CertificateSpec> mergeSpecs(const std::vector<ServiceProfile>& profiles);

}  // namespace certmgr::config
