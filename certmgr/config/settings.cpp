#include "certmgr/config/settings.h"

#include <algorithm>
#include <set>

#include "certmgr/config/dns_tables.h"
#include "certmgr/config/table_reader.h"
#include "certmgr/config/words.h"

namespace certmgr::config {
namespace {

using std::chrono::hours;

constexpr std::size_t longestOrganization = 64;  // RFC 5280 A.1: ub-organization-name

void readNumber(TableReader& reader, std::string_view key, int& target, std::int64_t least,
                std::int64_t most) {
    std::int64_t number = target;
    reader.readInteger(key, number, least, most);
    target = static_cast<int>(number);
}

void readPort(TableReader& reader, std::string_view key, std::uint16_t& target) {
    std::int64_t port = target;
    reader.readInteger(key, port, 0, 65535);
    target = static_cast<std::uint16_t>(port);
}

void readDays(TableReader& reader, std::string_view key, seconds& target, std::int64_t most) {
    std::int64_t days = 0;
    if (reader.readInteger(key, days, 1, most)) target = hours(24 * days);
}

void readKeys(TableReader reader, Settings& settings) {
    std::filesystem::path socket = settings.keydSocket;
    std::filesystem::path provider = settings.providerModule;
    reader.readPath("socket", socket);
    reader.readPath("provider", provider);
    settings.keydSocket = socket;
    settings.providerModule = provider;
    reader.readWord("algorithm", settings.keyAlgorithm, hal::makeableAlgorithmFrom, algorithmWords);
    reader.readWord("policy", settings.keyPolicy, hal::keyPolicyFrom, policyWords);
    reader.finish();
}

void readAuthority(TableReader reader, authority::AuthoritySettings& settings) {
    reader.read("organization", settings.organization);
    if (settings.organization.empty() || settings.organization.size() > longestOrganization)
        reader.refuse("organization", "found " + std::to_string(settings.organization.size()) +
                                          " bytes, expected 1 to 64, as X.509 has it (RFC 5280)");
    reader.readWord("root_key_algorithm", settings.rootKeyAlgorithm, hal::makeableAlgorithmFrom,
                    algorithmWords);
    reader.readWord("issuing_key_algorithm", settings.issuingKeyAlgorithm, hal::makeableAlgorithmFrom,
                    algorithmWords);
    reader.readWord("root_key_policy", settings.rootKeyPolicy, hal::keyPolicyFrom, policyWords);
    reader.readWord("issuing_key_policy", settings.issuingKeyPolicy, hal::keyPolicyFrom, policyWords);
    readDays(reader, "root_days", settings.rootLifetime, 36500);
    readDays(reader, "issuing_days", settings.issuingLifetime, 36500);
    readDays(reader, "leaf_days", settings.leafLifetime, 825);
    if (settings.issuingLifetime > settings.rootLifetime)
        reader.refuse("issuing_days", "the issuing CA would outlive its root; expected at most root_days");
    if (settings.leafLifetime > settings.issuingLifetime)
        reader.refuse("leaf_days", "a leaf would outlive its issuing CA; expected at most issuing_days");
    reader.finish();
}

acme::CaSettings readCa(TableReader reader) {
    acme::CaSettings ca;
    std::filesystem::path trustFile;
    reader.read("name", ca.name);
    reader.read("directory", ca.directory);
    reader.readPath("trust_file", trustFile);
    reader.read("contacts", ca.contacts);
    reader.read("terms_agreed", ca.termsAgreed);
    reader.finish();
    ca.trustFile = trustFile;
    if (!isPlainName(ca.name))
        reader.refuse("name",
                      "found \"" + ca.name + "\", expected a name of letters a-z, digits and hyphens");
    if (!ca.directory.starts_with("https://") || ca.directory.find(' ') != std::string::npos)
        reader.refuse("directory",
                      "found \"" + ca.directory + "\", expected the https:// URL of the CA's directory");
    for (const std::string& contact : ca.contacts)
        if (!contact.starts_with("mailto:"))
            reader.refuse("contacts", "found \"" + contact + "\", expected \"mailto:\" and an address");
    return ca;
}

// Without a word of the administrator what needs nothing of the services, and what is set up here.
void readChallenges(TableReader& reader, Settings& settings) {
    std::vector<std::string> words;
    if (!settings.dns.empty()) settings.challenges.push_back(ChallengeKind::dns01);
    if (!reader.read("challenges", words)) return;
    settings.challenges.clear();
    for (const std::string& word : words) {
        const std::optional<ChallengeKind> kind = challengeKindFrom(word);
        if (!kind || std::ranges::find(settings.challenges, *kind) != settings.challenges.end())
            reader.refuse("challenges",
                          "found \"" + word +
                              "\", expected \"http-01\", \"tls-alpn-01\" and \"dns-01\", each at most once");
        if (kind == ChallengeKind::dns01 && settings.dns.empty())
            reader.refuse("challenges", "found \"dns-01\" without a [[dns]], which says how");
        settings.challenges.push_back(*kind);
    }
}

void readPublicAddresses(TableReader& reader, std::vector<std::string>& addresses) {
    std::vector<std::string> texts;
    reader.read("public_addresses", texts);
    for (const std::string& text : texts) {
        try {
            const Identifier address = parseIdentifier(text);
            if (address.type == Identifier::Type::ip) {
                addresses.push_back(address.value);
                continue;
            }
        } catch (const Error&) {  // neither a name
        }
        reader.refuse("public_addresses", "found \"" + text + "\", expected an IPv4 or IPv6 address");
    }
}

void readAcme(TableReader reader, Settings& settings) {
    reader.read("enabled", settings.acmeEnabled);
    reader.read("public_names_only", settings.publicNamesOnly);
    readPort(reader, "challenge_port", settings.challengePort);
    readPort(reader, "tls_challenge_port", settings.tlsChallengePort);
    readServer(reader, "resolver", settings.resolver);
    if (bool preflight = false; reader.read("preflight", preflight)) settings.preflight = preflight;
    readPublicAddresses(reader, settings.publicAddresses);
    readChallenges(reader, settings);
    std::set<std::string> names;
    for (TableReader& table : reader.tables("ca")) {
        settings.cas.push_back(readCa(table));
        if (!names.insert(settings.cas.back().name).second)
            table.refuse("name", "found \"" + settings.cas.back().name +
                                     "\" a second time; give each CA its own name");
    }
    reader.finish();
}

void readDaemon(TableReader reader, Settings& settings) {
    readNumber(reader, "workers", settings.workers, 1, 256);
    reader.read("require_time_sync", settings.requireTimeSync);
    reader.finish();
}

void readAlarms(TableReader reader, AlarmSettings& settings) {
    AlarmRules& rules = settings.rules;
    readNumber(reader, "warning_percent", rules.warning.percent, 0, 33);
    readNumber(reader, "warning_days", rules.warning.days, 0, 365);
    readNumber(reader, "critical_percent", rules.critical.percent, 0, 33);
    readNumber(reader, "critical_days", rules.critical.days, 0, 365);
    if (rules.critical.percent > rules.warning.percent)
        reader.refuse("critical_percent",
                      "it would come before the warning; expected at most warning_percent");
    if (rules.critical.days > rules.warning.days)
        reader.refuse("critical_days", "it would come before the warning; expected at most warning_days");
    readNumber(reader, "failures", rules.failures, 1, 100);
    reader.readPath("metrics_file", settings.metricsFile);
    reader.read("program", settings.program);
    if (!settings.program.empty() && !settings.program.front().starts_with('/'))
        reader.refuse("program", "found \"" + settings.program.front() +
                                     "\" first, expected the absolute path of a program");
    std::int64_t limit = settings.programLimit.count();
    reader.readInteger("program_seconds", limit, 1, 60);
    settings.programLimit = seconds(limit);
    reader.finish();
}

void readServices(TableReader reader, Settings& settings) {
    reader.readPath("install_directory", settings.installDirectory);
    std::vector<std::string> directories;
    if (reader.read("directories", directories)) {
        settings.serviceDirectories.clear();
        for (const std::string& directory : directories) {
            if (!directory.starts_with('/'))
                reader.refuse("directories",
                              "found \"" + directory + "\", expected an absolute path, beginning with \"/\"");
            settings.serviceDirectories.emplace_back(directory);
        }
    }
    reader.finish();
}

void readTrust(TableReader reader, Settings& settings) {
    reader.readPath("system_file", settings.systemTrustFile);
    reader.finish();
}

}  // namespace

Settings loadSettings(const std::filesystem::path& file) {
    Settings settings;
    std::error_code error;
    if (std::filesystem::symlink_status(file, error).type() == std::filesystem::file_type::not_found)
        return settings;
    const toml::table document = readToml(file);
    TableReader reader(document);
    reader.readPath("state_directory", settings.stateDirectory);
    reader.readPath("challenge_directory", settings.challengeDirectory);
    reader.readPath("tls_challenge_directory", settings.tlsChallengeDirectory);
    if (const auto table = reader.table("services")) readServices(*table, settings);
    if (const auto table = reader.table("keys")) readKeys(*table, settings);
    if (const auto table = reader.table("authority")) readAuthority(*table, settings.authority);
    for (TableReader& table : reader.tables("dns")) settings.dns.push_back(readDns(table));
    if (const auto table = reader.table("acme")) readAcme(*table, settings);
    if (const auto table = reader.table("daemon")) readDaemon(*table, settings);
    if (const auto table = reader.table("trust")) readTrust(*table, settings);
    if (const auto table = reader.table("alarms")) readAlarms(*table, settings.alarms);
    reader.finish();
    return settings;
}

}  // namespace certmgr::config
