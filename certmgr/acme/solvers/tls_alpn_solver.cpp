#include "certmgr/acme/solvers/tls_alpn_solver.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include <arpa/inet.h>

#include "certmgr/acme/solvers/readable_file.h"
#include "certmgr/crypto/digest.h"
#include "certmgr/crypto/openssl.h"
#include "certmgr/net/local_tls.h"
#include "hal/key_store.h"

namespace certmgr::acme {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view digits = "0123456789abcdef";
constexpr const char* protocol = "acme-tls/1";                // RFC 8737 6.2
constexpr const char* acmeIdentifier = "1.3.6.1.5.5.7.1.31";  // id-pe-acmeIdentifier, RFC 8737 6.1
constexpr std::chrono::milliseconds longestHandshake{2000};

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

// RFC 8737 3: the digest is an OCTET STRING in the extension.
bool proves(const X509& leaf, const std::string& keyAuthorization) {
    const crypto::ObjectPtr wanted(OBJ_txt2obj(acmeIdentifier, /*no_name=*/1));
    const int at = X509_get_ext_by_OBJ(&leaf, wanted.get(), -1);
    if (at < 0) return false;
    const ASN1_OCTET_STRING* const value = X509_EXTENSION_get_data(X509_get_ext(&leaf, at));
    const std::array<std::uint8_t, 32> digest = crypto::sha256(keyAuthorization);
    std::vector<std::uint8_t> expected{V_ASN1_OCTET_STRING, digest.size()};
    expected.insert(expected.end(), digest.begin(), digest.end());
    return std::ranges::equal(expected, std::span(ASN1_STRING_get0_data(value),
                                                  static_cast<std::size_t>(ASN1_STRING_length(value))));
}

std::string describe(const net::LocalTlsAnswer& answer) {
    if (!answer.leaf) return "a server without acme-tls/1 (" + answer.problem + ") answers";
    return "the certificate of " + crypto::subjectOf(*answer.leaf) + " answers";
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

PortAnswer TlsAlpnSolver::answerFor(const Proof& proof, const std::string& address) const {
    const net::LocalTlsAnswer answer =
        net::askTlsLocally(address, port_, serverNameFor(proof.identifier), protocol, longestHandshake);
    if (!answer.listening) return {address, PortAnswer::Who::nobody, "", answer.refused};
    if (answer.leaf && proves(*answer.leaf, proof.keyAuthorization))
        return {address, PortAnswer::Who::us, "", true};
    return {address, PortAnswer::Who::other, describe(answer), true};
}

PortAnswer TlsAlpnSolver::answerAt(const Identifier&, const std::string& address) {
    // A name of nobody: what an order has laid for this one stays. RFC 2606 2.
    const Proof proof{
        {Identifier::Type::dns, hal::KeyId::fresh().text() + ".invalid"}, "", "of-the-preflight"};
    present(proof);
    const PortAnswer answer = answerFor(proof, address);
    remove(proof);
    return answer;
}

std::optional<Solver::Missing> TlsAlpnSolver::missing(const Proof& proof) const {
    if (port_ == 0) return std::nullopt;
    const PortAnswer answer = answerFor(proof, "127.0.0.1");
    if (answer.who == PortAnswer::Who::us) return std::nullopt;
    if (answer.who == PortAnswer::Who::nobody)
        return Missing{"the server of port " + std::to_string(port_) + " to start", false};
    // Of orders for one name the last has its answer there: a CA would meet that, and count a failure.
    const bool another = contentOf(fileOf(proof.identifier)) != answerTo(proof);
    return Missing{"the challenge on port " + std::to_string(port_) + ", where " + answer.words, another};
}

}  // namespace certmgr::acme
