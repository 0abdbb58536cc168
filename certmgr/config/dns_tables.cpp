#include "certmgr/config/dns_tables.h"

#include <charconv>

#include <arpa/inet.h>

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
    if (!readServer(reader, "server", settings.server))
        reader.refuse("server", "expected the address of the zones' primary server");
    std::vector<std::string> servers;
    reader.read("servers", servers);
    for (const std::string& text : servers) settings.servers.push_back(serverOf(reader, "servers", text));
    if (!reader.read("key", settings.keyName))
        reader.refuse("key", "expected the name of a TSIG key that the server knows");
    reader.read("algorithm", settings.algorithm);
    if (settings.algorithm != "hmac-sha256" && settings.algorithm != "hmac-sha512")
        reader.refuse("algorithm", "found \"" + settings.algorithm +
                                       "\", expected one of \"hmac-sha256\", \"hmac-sha512\"");
    if (!reader.readPath("secret_file", settings.secretFile))
        reader.refuse("secret_file", "expected the path of a file with the key's secret in base64");
    if (const std::string why = whyNotSecret(settings.secretFile); !why.empty())
        reader.refuse("secret_file", settings.secretFile.string() + ": " + why);
    std::int64_t wait = settings.patience.count();
    reader.readInteger("wait_seconds", wait, 1, 3600);
    settings.patience = std::chrono::seconds(wait);
    reader.finish();
    return settings;
}

}  // namespace certmgr::config
