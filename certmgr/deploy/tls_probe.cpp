#include "certmgr/deploy/tls_probe.h"

#include <algorithm>

#include "certmgr/crypto/tls_handshake.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/deploy/connection.h"
#include "certmgr/deploy/preamble.h"

namespace certmgr::deploy {
namespace {

// Throws Failure.
void complete(crypto::TlsHandshake& handshake, Connection& connection) {
    for (;;) {
        const auto state = handshake.advance();
        connection.send(handshake.output());
        if (state == crypto::TlsHandshake::State::complete) return;
        if (state == crypto::TlsHandshake::State::failed) throw Failure(handshake.problem());
        handshake.input(connection.receive());
    }
}

void sayGoodbye(crypto::TlsHandshake& handshake, Connection& connection) {
    try {
        handshake.sayGoodbye();
        connection.send(handshake.output());
    } catch (const Failure&) {  // everything was seen already
    }
}

// An inspecting proxy makes the leaf itself: what was deployed is the CA that signed it. That it sends a CA
// along is no proof: squid sends the new one with leaves of the one before, which it has kept.
std::vector<const X509*> withoutMadeLeaf(std::vector<const X509*> sent) {
    if (sent.empty()) return sent;
    const X509& leaf = *sent.front();
    sent.erase(sent.begin());
    const auto signer =
        std::ranges::find_if(sent, [&](const X509* one) { return crypto::issued(*one, leaf); });
    if (signer == sent.end())
        throw Failure("the proxy's leaf is signed by none of the " + std::to_string(sent.size()) +
                      " certificates that it sends with it");
    std::rotate(sent.begin(), signer, signer + 1);
    return sent;
}

Identifier siteNameOf(const ProbeTarget& target) {
    return parseIdentifier(target.site.substr(0, target.site.rfind(':')));
}

// RFC 6066 3: addresses are not sent.
std::string sentNameOf(const Identifier& serverName) {
    return serverName.type == Identifier::Type::dns ? serverName.value : "";
}

}  // namespace

TlsProbe::TlsProbe() : context_(crypto::lookingContext()) {}

Seen TlsProbe::look(const ProbeTarget& target, const Identifier& serverName, const std::stop_token& stop) {
    Seen seen;
    try {
        Connection connection(target, stop);
        seen.connected = true;
        speakUpToHandshake(connection, target);
        const bool proxy = target.kind == ProbeKind::httpsProxy;
        crypto::TlsHandshake handshake(*context_, sentNameOf(proxy ? siteNameOf(target) : serverName));
        try {
            complete(handshake, connection);
            sayGoodbye(handshake, connection);
        } catch (const Failure& failure) {
            seen.problem = failure.what();
        }
        for (const X509* one : proxy ? withoutMadeLeaf(handshake.chain()) : handshake.chain())
            seen.chainSha256.push_back(crypto::sha256Hex(*one));
    } catch (const Failure& failure) {
        seen.problem = failure.what();
    }
    return seen;
}

}  // namespace certmgr::deploy
