#include "certmgr/config/dns_tables.h"

#include <charconv>
#include <initializer_list>

#include <arpa/inet.h>

#include "certmgr/config/words.h"
#include "certmgr/core/identifier.h"
#include "certmgr/core/secret_file.h"

namespace certmgr::config {
namespace {

std::optional<std::uint16_t> portFrom(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

bool isAddress(const std::string& text) {
    in6_addr address{};
    return ::inet_pton(AF_INET, text.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::optional<net::DnsServer> serverFrom(const std::string& text) {
    if (isAddress(text)) return net::DnsServer{text};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    const std::optional<std::uint16_t> port = portFrom(std::string_view(text).substr(colon + 1));
    std::string address = text.substr(0, colon);
    const bool bracketed = address.starts_with('[') && address.ends_with(']');
    if (bracketed) address = address.substr(1, address.size() - 2);
    if (!port || !isAddress(address) || bracketed != (address.find(':') != std::string::npos))
        return std::nullopt;
    return net::DnsServer{address, *port};
}

net::DnsServer serverOf(TableReader& reader, std::string_view key, const std::string& text) {
    const std::optional<net::DnsServer> server = serverFrom(text);
    if (!server)
        reader.refuse(key, "found \"" + text +
                               "\", expected an address, with a port where it is not 53: \"192.0.2.53\" or "
                               "\"[2001:db8::53]:5353\"");
    return *server;
}

void readZones(TableReader& reader, std::vector<std::string>& zones) {
    std::vector<std::string> texts;
    reader.read("zones", texts);
    if (texts.empty()) reader.refuse("zones", "expected the names of one zone or more");
    for (const std::string& text : texts) {
        try {
            const Identifier zone = parseIdentifier(text);
            if (zone.type != Identifier::Type::dns || zone.wildcard())
                reader.refuse("zones", "found \"" + zone.value + "\", expected the name of a zone");
            zones.push_back(zone.value);
        } catch (const Error& error) {
            if (error.code() == "bad-config") throw;
            reader.refuse("zones", error.what());
        }
    }
}

std::optional<acme::HookForm> hookFormFrom(std::string_view word) noexcept {
    if (word == "lego-exec") return acme::HookForm::legoExec;
    if (word == "dehydrated") return acme::HookForm::dehydrated;
    if (word == "acme.sh") return acme::HookForm::acmeSh;
    return std::nullopt;
}

void refuseAny(TableReader& reader, std::initializer_list<std::string_view> keys, const std::string& why) {
    for (const std::string_view key : keys)
        if (reader.has(key)) reader.refuse(key, why);
}

void requireSecret(TableReader& reader, std::string_view key, const std::filesystem::path& file) {
    if (const std::string why = whyNotSecret(file); !why.empty())
        reader.refuse(key, file.string() + ": " + why);
}

acme::DnsUpdateSettings readUpdates(TableReader& reader) {
    refuseAny(
        reader, {"program", "adapter", "environment_file", "timeout_seconds"},
        "belongs to a table that has hook; this one has none, and so names a server that takes updates");
    acme::DnsUpdateSettings settings;
    if (!readServer(reader, "server", settings.server))
        reader.refuse("server",
                      "expected the address of the zones' primary server, or a hook that changes the zones");
    if (!reader.read("key", settings.keyName))
        reader.refuse("key", "expected the name of a TSIG key that the server knows");
    reader.read("algorithm", settings.algorithm);
    if (settings.algorithm != "hmac-sha256" && settings.algorithm != "hmac-sha512")
        reader.refuse("algorithm", "found \"" + settings.algorithm +
                                       "\", expected one of \"hmac-sha256\", \"hmac-sha512\"");
    if (!reader.readPath("secret_file", settings.secretFile))
        reader.refuse("secret_file", "expected the path of a file with the key's secret in base64");
    requireSecret(reader, "secret_file", settings.secretFile);
    return settings;
}

// acme.sh finds the functions of such a file by its name.
bool isDnsApiFile(const std::filesystem::path& file) {
    const std::string name = file.filename();
    return name.starts_with("dns_") && name.ends_with(".sh") &&
           name.size() > std::string_view("dns_.sh").size();
}

acme::DnsHookSettings readHook(TableReader& reader) {
    refuseAny(
        reader, {"server", "key", "algorithm", "secret_file"},
        "belongs to a table that names a server for updates; this one has hook, whose program changes the "
        "zones");
    acme::DnsHookSettings settings;
    reader.readWord("hook", settings.form, hookFormFrom, hookWords);
    const bool ofAcmeSh = settings.form == acme::HookForm::acmeSh;
    if (!reader.readPath("program", settings.program))
        reader.refuse("program", ofAcmeSh ? "expected the path of a file of acme.sh's dnsapi"
                                          : "expected the path of the program to run");
    if (ofAcmeSh && !isDnsApiFile(settings.program))
        reader.refuse("program", "found \"" + settings.program.string() +
                                     "\", expected a file dns_NAME.sh of acme.sh's dnsapi");
    if (!ofAcmeSh) refuseAny(reader, {"adapter"}, "is for hook = \"acme.sh\" only");
    reader.readPath("adapter", settings.adapter);
    if (reader.readPath("environment_file", settings.environmentFile))
        requireSecret(reader, "environment_file", settings.environmentFile);
    std::int64_t limit = settings.limit.count();
    reader.readInteger("timeout_seconds", limit, 1, 3600);
    settings.limit = std::chrono::seconds(limit);
    return settings;
}

}  // namespace

bool readServer(TableReader& reader, std::string_view key, net::DnsServer& target) {
    std::string text;
    if (!reader.read(key, text)) return false;
    target = serverOf(reader, key, text);
    return true;
}

acme::DnsSettings readDns(TableReader reader) {
    acme::DnsSettings settings;
    readZones(reader, settings.zones);
    if (reader.has("hook"))
        settings.means = readHook(reader);
    else
        settings.means = readUpdates(reader);
    std::vector<std::string> servers;
    reader.read("servers", servers);
    for (const std::string& text : servers) settings.servers.push_back(serverOf(reader, "servers", text));
    std::int64_t wait = settings.patience.count();
    reader.readInteger("wait_seconds", wait, 1, 3600);
    settings.patience = std::chrono::seconds(wait);
    reader.finish();
    return settings;
}

}  // namespace certmgr::config
