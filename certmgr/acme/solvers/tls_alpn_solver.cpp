#include "certmgr/acme/solvers/tls_alpn_solver.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>

#include <arpa/inet.h>

#include "certmgr/acme/solvers/local_port.h"
#include "certmgr/acme/solvers/readable_file.h"
#include "certmgr/crypto/digest.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view digits = "0123456789abcdef";

// The two lines that certmgr/responder/alpn_certificate.h reads.
std::string answerTo(const Proof& proof) {
    const bool address = proof.identifier.type == Identifier::Type::ip;
    return (address ? "IP:" : "DNS:") + proof.identifier.value + "\n" +
           crypto::sha256Hex(proof.keyAuthorization) + "\n";
}

std::string contentOf(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::string serverNameFor(const Identifier& identifier) {
    if (identifier.type == Identifier::Type::dns) return identifier.value;
    std::array<std::uint8_t, sizeof(in6_addr)> octets{};
    std::string name;
    if (::inet_pton(AF_INET, identifier.value.c_str(), octets.data()) == 1) {
        for (std::size_t i = sizeof(in_addr); i-- > 0;) name += std::to_string(octets[i]) + ".";
        return name + "in-addr.arpa";
    }
    ::inet_pton(AF_INET6, identifier.value.c_str(), octets.data());
    for (std::size_t i = octets.size(); i-- > 0;)
        for (const int nibble : {octets[i] & 15, octets[i] >> 4})
            name.append({digits[static_cast<std::size_t>(nibble)], '.'});
    return name + "ip6.arpa";
}

TlsAlpnSolver::TlsAlpnSolver(fs::path directory, std::uint16_t port, SharedPort* outside)
    : directory_(std::move(directory)), port_(port), outside_(outside) {}

fs::path TlsAlpnSolver::fileOf(const Identifier& identifier) const {
    return directory_ / serverNameFor(identifier);
}

void TlsAlpnSolver::present(const Proof& proof) {
    writeReadable(fileOf(proof.identifier), answerTo(proof));
}

void TlsAlpnSolver::remove(const Proof& proof) noexcept {
    const fs::path file = fileOf(proof.identifier);
    std::error_code gone;
    if (contentOf(file) == answerTo(proof)) fs::remove(file, gone);
}

int TlsAlpnSolver::clearAway() {
    const auto oldest = fs::file_time_type::clock::now() - longestRun;
    std::error_code unreadable;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, unreadable)) {
        std::error_code gone;  // by another order that ended meanwhile
        if (entry.last_write_time(gone) < oldest && !gone) fs::remove(entry.path(), gone);
    }
    return outside_ && !outside_->closeUnused() ? 1 : 0;
}

std::optional<Solver::Missing> TlsAlpnSolver::missing(const Proof&) const {
    if (port_ == 0 || listensLocally(port_)) return std::nullopt;
    return Missing{"the server of port " + std::to_string(port_) + " to start", false};
}

}  // namespace certmgr::acme
