// A module of the gateway as its profile in services.d/NAME.toml describes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "certmgr/core/certificate.h"
#include "certmgr/core/reload_window.h"
#include "hal/service_control.h"

namespace certmgr {

// How a client comes to the handshake; a new kind is a new protocol.
enum class ProbeKind {
    https,
    tls,         // TLS from the first byte, whatever is spoken in it
    smtp,        // STARTTLS (RFC 3207)
    imap,        // STARTTLS (RFC 9051 6.2.1)
    pop3,        // STLS (RFC 2595 4)
    httpsProxy,  // CONNECT to `site`, then TLS with who answers: an inspecting proxy, which signs leaves
                 // itself, and whose certificate is the CA that it signs them with
    command,     // a program that looks and says what it saw
};
std::string_view toString(ProbeKind kind) noexcept;  // "https", …, "https-proxy", "command"
std::optional<ProbeKind> probeKindFrom(std::string_view text) noexcept;

struct ProbeTarget {
    ProbeKind kind = ProbeKind::https;
    std::string address = "127.0.0.1";  // numeric; the certificate's name is sent as SNI
    std::uint16_t port = 443;
    std::chrono::milliseconds timeout{10'000};  // of the whole proof, retries during the change-over included
    std::string site;                  // https-proxy: "HOST:PORT" that is asked for through the proxy
    std::vector<std::string> command;  // command: argv, no shell
};
// For people: "imap 127.0.0.1:143".
std::string describe(const ProbeTarget& target);

// What the service's program is able to load in the place of a private key.
enum class KeyForm { reference, file };
std::string_view toString(KeyForm form) noexcept;  // "reference", "file"
std::optional<KeyForm> keyFormFrom(std::string_view text) noexcept;

// Beside fullchain.pem, chain.pem, cert.pem and key.pem, which are always there.
enum class FileFormat {
    split,     // nothing more
    combined,  // combined.pem: leaf, chain, key
    keyFirst,  // combined.pem: key, leaf, chain
};
std::optional<FileFormat> fileFormatFrom(std::string_view text) noexcept;  // "split", "combined", "key-first"

// What certmgr-install does as root, after each change and before the reload.
struct Installation {
    std::string owner = "root";  // of the files that hold a key
    std::string group = "root";
    mode_t mode = 0600;
    // Run once for each certificate; "{directory}" is the folder with its files, "{certificate}" its id.
    std::vector<std::string> command;
    std::chrono::milliseconds timeout{30'000};  // of each run
};

struct ServiceProfile {
    std::string name;         // file name without ".toml"; [a-z0-9-]+
    std::string description;  // for the table: "Web interface"
    std::vector<CertificateSpec> certificates;
    KeyForm keyForm = KeyForm::reference;
    FileFormat format = FileFormat::split;
    std::optional<Installation> installation;  // always there for a key file
    hal::ServiceHandle handle;
    std::vector<ProbeTarget> probes{
        ProbeTarget{}};  // each of them must show a certificate; empty: nobody looks
    std::optional<ReloadWindow> reloadWindow = {};  // absent: at any time
    bool clientCrl = false;  // it checks clients: reloaded when the CAs or revocation lists for that change
};

// The unit that runs certmgr-install for a service.
std::string installUnitOf(const std::string& service);

// The longest of the probes' time limits.
std::chrono::milliseconds proofTimeout(const ServiceProfile& service);

}  // namespace certmgr
