#include "certmgr/config/profile.h"

#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "certmgr/config/order_tables.h"
#include "certmgr/config/table_reader.h"
#include "certmgr/config/words.h"

namespace certmgr::config {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t longestTimeout = 3600;

void readTimeout(TableReader& reader, milliseconds& target) {
    std::int64_t value = 0;
    if (reader.readInteger("timeout_seconds", value, 1, longestTimeout)) target = seconds(value);
}

bool numericAddress(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

void readAddress(TableReader& reader, ProbeTarget& probe) {
    reader.read("address", probe.address);
    if (!numericAddress(probe.address))
        reader.refuse("address", "found \"" + probe.address + "\", expected a numeric IPv4 or IPv6 address");
    std::int64_t port = probe.port;
    reader.readInteger("port", port, 1, 65535);
    probe.port = static_cast<std::uint16_t>(port);
}

bool isHost(const std::string& text) {
    try {
        return !parseIdentifier(text).wildcard();
    } catch (const Error&) {
        return false;
    }
}

void readSite(TableReader& reader, ProbeTarget& probe) {
    if (probe.kind != ProbeKind::httpsProxy) return;
    reader.read("site", probe.site);
    const std::size_t colon = probe.site.rfind(':');
    const std::string port = colon == std::string::npos ? "" : probe.site.substr(colon + 1);
    if (!isHost(probe.site.substr(0, colon)) || port.empty() ||
        port.find_first_not_of("0123456789") != std::string::npos)
        reader.refuse("site", "found \"" + probe.site +
                                  "\", expected what is asked for through the proxy, as \"www.example:443\"");
}

void readProbeCommand(TableReader& reader, ProbeTarget& probe) {
    if (probe.kind != ProbeKind::command) return;
    reader.read("command", probe.command);
    if (probe.command.empty())
        reader.refuse("command", "found none, expected the program that looks and its arguments");
}

// "none" keeps its table: a drop-in may switch the vendor's probe off with one line.
std::optional<ProbeTarget> readProbe(TableReader& reader) {
    ProbeTarget probe;
    std::string word(toString(probe.kind));
    reader.read("kind", word);
    const auto kind = probeKindFrom(word);
    if (!kind && word != "none")
        reader.refuse("kind", "found \"" + word + "\", expected one of " + std::string(probeWords));
    probe.kind = kind.value_or(probe.kind);
    readAddress(reader, probe);
    readSite(reader, probe);
    readProbeCommand(reader, probe);
    readTimeout(reader, probe.timeout);
    reader.finish();
    return kind ? std::optional(std::move(probe)) : std::nullopt;
}

void readProbes(TableReader& reader, ServiceProfile& profile) {
    std::vector<TableReader> tables = reader.oneOrMore("probe");
    if (tables.empty()) return;
    profile.probes.clear();
    for (TableReader& table : tables)
        if (auto probe = readProbe(table)) profile.probes.push_back(*std::move(probe));
}

// A CA is never what a server shows, and a proxy shows leaves that nobody deployed.
void requireFittingProbes(const TableReader& reader, const ServiceProfile& profile) {
    for (const CertificateSpec& spec : profile.certificates)
        for (const ProbeTarget& probe : profile.probes)
            if (probe.kind != ProbeKind::command &&
                (probe.kind == ProbeKind::httpsProxy) != (spec.usage == Usage::inspectionCa))
                reader.refuse("probe", "found " + describe(probe) + " to prove " + spec.id +
                                           ", which is to be of the usage \"" +
                                           std::string(toString(spec.usage)) +
                                           "\"; \"https-proxy\" goes with \"inspection-ca\" and with "
                                           "nothing else");
}

std::vector<Identifier> namesOf(const TableReader& reader, const std::vector<std::string>& texts) {
    try {
        return parseIdentifiers(texts);
    } catch (const Error& error) {
        reader.refuse("names", error.what());
    }
}

void addCertificate(const TableReader& reader, ServiceProfile& profile, CertificateSpec spec) {
    spec.id = certificateIdFor(spec.names);
    for (const CertificateSpec& other : profile.certificates)
        if (other.id == spec.id)
            reader.refuse("names",
                          "found the names of " + spec.id + " a second time; name each certificate once");
    profile.certificates.push_back(std::move(spec));
}

// A key in the TPM has no file to give away; with "prefer-tpm" the one who prefers is overruled.
void requireFileKey(const TableReader& reader, const ServiceProfile& profile, CertificateSpec& spec) {
    if (profile.keyForm == KeyForm::reference) return;
    if (spec.keyPolicy == hal::KeyPolicy::preferTpm) spec.keyPolicy = hal::KeyPolicy::file;
    if (spec.keyPolicy != hal::KeyPolicy::file)
        reader.refuse(
            "key_policy",
            "found \"" + std::string(toString(spec.keyPolicy)) +
                "\", expected \"file\" or \"prefer-tpm\": with key = \"file\" the service reads the "
                "key itself, and one that the TPM holds cannot be read");
}

void readCertificates(TableReader& reader, ServiceProfile& profile, const Settings& settings) {
    CertificateSpec usual;
    usual.keyAlgorithm = settings.keyAlgorithm;
    usual.keyPolicy = settings.keyPolicy;
    reader.read("users", usual.users);
    reader.readWord("key_algorithm", usual.keyAlgorithm, hal::keyAlgorithmFrom, algorithmWords);
    reader.readWord("usage", usual.usage, usageFrom, usageWords);
    readAcmeProfile(reader, "acme_profile", usual.acmeProfile);
    readPreferredChain(reader, usual.preferredChain);
    std::vector<std::string> shortForm;
    reader.read("names", shortForm);
    for (const std::string& name : shortForm) {
        CertificateSpec spec = usual;
        spec.names = namesOf(reader, {name});
        requireFileKey(reader, profile, spec);
        addCertificate(reader, profile, std::move(spec));
    }
    for (TableReader& table : reader.tables("certificate")) {
        CertificateSpec spec = usual;
        std::vector<std::string> names;
        table.read("names", names);
        spec.names = namesOf(table, names);
        table.readWord("key_algorithm", spec.keyAlgorithm, hal::makeableAlgorithmFrom, algorithmWords);
        table.readWord("key_policy", spec.keyPolicy, hal::keyPolicyFrom, policyWords);
        table.read("acme", spec.acme);
        readAcmeProfile(table, "acme_profile", spec.acmeProfile);
        readPreferredChain(table, spec.preferredChain);
        table.finish();
        requireFileKey(table, profile, spec);
        addCertificate(table, profile, std::move(spec));
    }
}

mode_t modeFrom(const TableReader& reader, const std::string& text) {
    unsigned mode = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    // A key is never for everybody, and nothing is written into it but by certmgr-install.
    if (error != std::errc() || end != text.data() + text.size() || (mode & ~0640U) != 0 ||
        (mode & 0400U) == 0)
        reader.refuse("mode", "found \"" + text +
                                  "\", expected the octal rights of a file with a key, at most \"0640\"");
    return mode;
}

Installation readInstallation(TableReader reader) {
    Installation installation;
    std::string mode = "0600";
    reader.read("owner", installation.owner);
    reader.read("group", installation.group);
    reader.read("mode", mode);
    reader.read("command", installation.command);
    readTimeout(reader, installation.timeout);
    reader.finish();
    installation.mode = modeFrom(reader, mode);
    return installation;
}

void readDelivery(TableReader& reader, ServiceProfile& profile) {
    reader.readWord("key", profile.keyForm, keyFormFrom, "\"reference\", \"file\"");
    reader.readWord("format", profile.format, fileFormatFrom, "\"split\", \"combined\", \"key-first\"");
    if (const auto table = reader.table("install")) profile.installation = readInstallation(*table);
    if (profile.keyForm == KeyForm::file && !profile.installation) profile.installation.emplace();
    if (profile.installation) profile.handle.installUnit = installUnitOf(profile.name);
}

void readHandle(TableReader& reader, hal::ServiceHandle& handle) {
    reader.read("unit", handle.unit);
    if (!handle.unit.empty() &&
        (handle.unit.find_first_of(" /") != std::string::npos || !handle.unit.ends_with(".service")))
        reader.refuse("unit", "found \"" + handle.unit +
                                  "\", expected the name of a systemd unit, as \"nginx.service\"");
    reader.read("check_command", handle.checkCommand);
    reader.read("reload_command", handle.reloadCommand);
    readTimeout(reader, handle.timeout);
}

void readReloadWindow(TableReader& reader, ServiceProfile& profile) {
    std::string text;
    if (!reader.read("reload_window", text)) return;
    profile.reloadWindow = reloadWindowFrom(text);
    if (!profile.reloadWindow)
        reader.refuse("reload_window",
                      "found \"" + text + "\", expected two different times of day, as \"02:00-04:00\"");
}

void requireWayToHear(const TableReader& reader, const ServiceProfile& profile, bool reload) {
    const bool told = !profile.handle.unit.empty() || !profile.handle.reloadCommand.empty();
    const bool loads = profile.installation && !profile.installation->command.empty();
    if (reload && !told && !loads)
        reader.refuse(
            "unit",
            "found neither unit nor reload_command nor a command in [install]; name at least one, or "
            "the service never takes a new certificate; reload = false for one that reads the files anew "
            "for each connection");
    if (!reload && told)
        reader.refuse("reload",
                      "found false beside unit or reload_command, which say how the service is reloaded; "
                      "leave out one or the other");
}

}  // namespace

ServiceProfile readProfile(const std::string& name, const toml::table& document, const Settings& settings) {
    ServiceProfile profile;
    profile.name = name;
    TableReader reader(document);
    profile.description = name;
    reader.read("description", profile.description);
    readDelivery(reader, profile);
    readCertificates(reader, profile, settings);
    readHandle(reader, profile.handle);
    bool reload = true;
    reader.read("reload", reload);
    readReloadWindow(reader, profile);
    reader.read("client_crl", profile.clientCrl);
    readProbes(reader, profile);
    reader.finish();
    requireFittingProbes(reader, profile);
    requireWayToHear(reader, profile, reload);
    return profile;
}

}  // namespace certmgr::config
