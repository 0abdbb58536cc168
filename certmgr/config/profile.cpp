#include "certmgr/config/profile.h"

#include <array>

#include <arpa/inet.h>

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

std::optional<ProbeKind> probeKindFrom(std::string_view text) noexcept {
    if (text == "https") return ProbeKind::https;
    if (text == "none") return ProbeKind::none;
    return std::nullopt;
}

void readProbe(TableReader reader, ProbeTarget& probe) {
    reader.readWord("kind", probe.kind, probeKindFrom, "\"https\", \"none\"");
    reader.read("address", probe.address);
    if (!numericAddress(probe.address))
        reader.refuse("address", "found \"" + probe.address + "\", expected a numeric IPv4 or IPv6 address");
    std::int64_t port = probe.port;
    reader.readInteger("port", port, 1, 65535);
    probe.port = static_cast<std::uint16_t>(port);
    readTimeout(reader, probe.timeout);
    reader.finish();
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

void readCertificates(TableReader& reader, ServiceProfile& profile, const Settings& settings) {
    CertificateSpec usual;
    usual.keyAlgorithm = settings.keyAlgorithm;
    usual.keyPolicy = settings.keyPolicy;
    reader.read("users", usual.users);
    std::vector<std::string> shortForm;
    reader.read("names", shortForm);
    for (const std::string& name : shortForm) {
        CertificateSpec spec = usual;
        spec.names = namesOf(reader, {name});
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
        table.finish();
        addCertificate(table, profile, std::move(spec));
    }
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

}  // namespace

ServiceProfile readProfile(const std::string& name, const toml::table& document, const Settings& settings) {
    ServiceProfile profile;
    profile.name = name;
    TableReader reader(document);
    profile.description = name;
    reader.read("description", profile.description);
    readCertificates(reader, profile, settings);
    readHandle(reader, profile.handle);
    if (const auto probe = reader.table("probe")) readProbe(*probe, profile.probe);
    reader.finish();
    if (profile.handle.unit.empty() && profile.handle.reloadCommand.empty())
        reader.refuse("unit",
                      "found neither unit nor reload_command; name at least one, or the service never takes "
                      "a new certificate");
    return profile;
}

}  // namespace certmgr::config
