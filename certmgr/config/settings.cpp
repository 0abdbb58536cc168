#include "certmgr/config/settings.h"

#include <algorithm>
#include <set>

#include "certmgr/config/dns_tables.h"
#include "certmgr/config/known_cas.h"
#include "certmgr/config/order_tables.h"
#include "certmgr/config/table_reader.h"
#include "certmgr/config/words.h"
#include "certmgr/core/secret_file.h"

namespace certmgr::config {
namespace {

using std::chrono::hours;

using KnownCas = std::map<std::string, KnownCa>;

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

void readSeconds(TableReader& reader, const char* key, seconds& target, std::int64_t most) {
    std::int64_t value = 0;
    if (reader.readInteger(key, value, 1, most)) target = seconds(value);
}

void readDays(TableReader& reader, std::string_view key, seconds& target, std::int64_t most) {
    std::int64_t days = 0;
    if (reader.readInteger(key, days, 1, most)) target = hours(24 * days);
}

void readDirectories(TableReader& reader, std::string_view key, std::vector<std::filesystem::path>& target) {
    std::vector<std::string> directories;
    if (!reader.read(key, directories)) return;
    target.clear();
    for (const std::string& directory : directories) {
        if (!directory.starts_with('/'))
            reader.refuse(key,
                          "found \"" + directory + "\", expected an absolute path, beginning with \"/\"");
        target.emplace_back(directory);
    }
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

// RFC 8555 7.3.4
void readExternalAccount(TableReader& reader, acme::CaSettings& ca) {
    const bool hasId = reader.read("eab_key_id", ca.externalKeyId);
    const bool hasFile = reader.readPath("eab_key_file", ca.externalKeyFile);
    if (hasId != hasFile || (hasId && ca.externalKeyId.empty()))
        reader.refuse(hasId ? "eab_key_id" : "eab_key_file",
                      "expected both, eab_key_id and eab_key_file, as the CA gives them to its customers");
    if (!hasFile) return;
    if (const std::string why = whyNotSecret(ca.externalKeyFile); !why.empty())
        reader.refuse("eab_key_file", ca.externalKeyFile.string() + ": " + why);
}

std::string namesOf(const KnownCas& known) {
    std::string names;
    for (const auto& [name, ca] : known) names += (names.empty() ? "" : ", ") + name;
    return names;
}

// What is known of the CA by its name, for the table to add to.
KnownCa knownCa(TableReader& reader, const KnownCas& known) {
    std::string name;
    std::string directory;
    reader.read("name", name);
    if (!isPlainName(name))
        reader.refuse("name", "found \"" + name + "\", expected a name of letters a-z, digits and hyphens");
    if (const auto found = known.find(name); found != known.end()) return found->second;
    if (!reader.read("directory", directory) && !known.empty())
        reader.refuse("name", "found \"" + name +
                                  "\" without a directory, expected the URL of its directory, or one of " +
                                  namesOf(known));
    KnownCa other;
    other.settings.name = name;
    return other;
}

acme::CaSettings readCa(TableReader reader, const KnownCas& known) {
    const KnownCa base = knownCa(reader, known);
    acme::CaSettings ca = base.settings;
    readOffer(reader, ca);
    reader.read("contacts", ca.contacts);
    reader.read("terms_agreed", ca.termsAgreed);
    readAcmeProfile(reader, "profile", ca.profile);
    if (!ca.addressProfile.name.empty() && ca.profile.required) ca.addressProfile.required = true;
    readPreferredChain(reader, ca.preferredChain);
    readExternalAccount(reader, ca);
    readSeconds(reader, "timeout_seconds", ca.answerLimit, 600);
    readSeconds(reader, "wait_seconds", ca.patience, 28800);
    reader.finish();
    if (base.externalAccountOnly && ca.externalKeyId.empty())
        reader.refuse("eab_key_id", "the CA " + ca.name +
                                        " takes only accounts of its customers: expected eab_key_id and "
                                        "eab_key_file as it gives them; see " +
                                        base.documentation);
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
            reader.refuse("challenges", "found \"" + word +
                                            "\", expected \"http-01\", \"tls-alpn-01\", \"dns-01\", "
                                            "\"dns-account-01\" and \"dns-persist-01\", each at most once");
        if ((kind == ChallengeKind::dns01 || kind == ChallengeKind::dnsAccount01) && settings.dns.empty())
            reader.refuse("challenges", "found \"" + word + "\" without a [[dns]], which says how");
        settings.challenges.push_back(*kind);
    }
}

// The CA for tests beside one, with the contacts and the word on the terms that were given for that.
void readTrialCa(TableReader& reader, const acme::CaSettings& ca, const KnownCas& known, Settings& settings) {
    if (ca.staging.empty()) return;
    const auto found = known.find(ca.staging);
    if (found == known.end() || found->second.externalAccountOnly)
        reader.refuse("staging",
                      "found \"" + ca.staging +
                          "\", expected a known CA that takes accounts of everybody: " + namesOf(known));
    const auto same = [&](const acme::CaSettings& other) { return other.name == ca.staging; };
    if (std::ranges::any_of(settings.trialCas, same)) return;
    acme::CaSettings trial = found->second.settings;
    trial.forTests = true;
    trial.staging.clear();
    trial.contacts = ca.contacts;
    trial.termsAgreed = ca.termsAgreed;
    trial.answerLimit = ca.answerLimit;
    trial.patience = ca.patience;
    settings.trialCas.push_back(trial);
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
    readDirectories(reader, "ca_directories", settings.caDirectories);
    std::vector<TableReader> tables = reader.tables("ca");
    const KnownCas known = tables.empty() ? KnownCas() : loadKnownCas(settings.caDirectories);
    std::set<std::string> names;
    for (TableReader& table : tables) {
        settings.cas.push_back(readCa(table, known));
        readTrialCa(table, settings.cas.back(), known, settings);
        if (!names.insert(settings.cas.back().name).second)
            table.refuse("name", "found \"" + settings.cas.back().name +
                                     "\" a second time; give each CA its own name");
    }
    reader.finish();
}

std::optional<PortOpening> portOpeningFrom(std::string_view word) noexcept {
    if (word == "none") return PortOpening::none;
    if (word == "nftables") return PortOpening::nftables;
    return std::nullopt;
}

std::optional<std::string> familyFrom(std::string_view word) noexcept {
    const bool known = word == "inet" || word == "ip" || word == "ip6";
    return known ? std::optional<std::string>(word) : std::nullopt;
}

// As nft(8) takes it without quotes; root hands it to nft.
void readFilterName(TableReader& reader, std::string_view key, std::string& target) {
    if (!reader.read(key, target)) return;
    const bool plain =
        std::ranges::all_of(target, [](char c) { return isLetterOrDigit(c) || c == '_' || c == '-'; });
    if (target.empty() || target.size() > 128 || !plain || !isLower(lowered(target.front())))
        reader.refuse(
            key, "found \"" + target +
                     "\", expected a name of letters, digits, \"_\" and \"-\" that begins with a letter");
}

void readPorts(TableReader reader, PortSettings& settings) {
    reader.readWord("opener", settings.opener, portOpeningFrom, portOpeningWords);
    reader.read("command", settings.command);
    if (!settings.command.empty() && !settings.command.front().starts_with('/'))
        reader.refuse("command", "found \"" + settings.command.front() +
                                     "\" first, expected the absolute path of a program");
    reader.readWord("family", settings.family, familyFrom, familyWords);
    readFilterName(reader, "table", settings.table);
    readFilterName(reader, "set", settings.set);
    readSeconds(reader, "limit_seconds", settings.limit, 86400);
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
    readSeconds(reader, "program_seconds", settings.programLimit, 60);
    reader.finish();
}

void readServices(TableReader reader, Settings& settings) {
    reader.readPath("install_directory", settings.installDirectory);
    readDirectories(reader, "directories", settings.serviceDirectories);
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
    if (const auto table = reader.table("ports")) readPorts(*table, settings.ports);
    if (const auto table = reader.table("daemon")) readDaemon(*table, settings);
    if (const auto table = reader.table("trust")) readTrust(*table, settings);
    if (const auto table = reader.table("alarms")) readAlarms(*table, settings.alarms);
    reader.finish();
    return settings;
}

}  // namespace certmgr::config
