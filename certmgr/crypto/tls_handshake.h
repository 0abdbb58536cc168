// The client's side of a TLS handshake, without a socket: what the other side sent goes in, what is to be
// sent comes out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hal/handle.h"

namespace certmgr::crypto {

// Of one thread at a time. Error(internal) where OpenSSL has no memory.
class TlsHandshake {
  public:
    // Empty: none is sent. Error(rejected, "bad-server-name") for a name that TLS cannot carry.
    TlsHandshake(SSL_CTX& context, const std::string& serverName);

    // The one protocol offered (RFC 7301).
    void offer(std::string_view protocol);

    enum class State { wantsMore, complete, failed };
    State advance();
    // To be sent after each advance(), also after one that failed.
    std::string output();
    void input(std::string_view received);
    // Why it failed, in OpenSSL's words.
    const std::string& problem() const { return problem_; }

    void sayGoodbye();  // output() has it
    std::string agreedProtocol() const;
    // As it was sent, the leaf first; also where the handshake failed afterwards. Valid as long as this is.
    std::vector<const X509*> chain() const;

  private:
    hal::SslPtr ssl_;
    BIO* input_ = nullptr;  // both belong to ssl_
    BIO* output_ = nullptr;
    std::string problem_;
};

// Of clients that look at what is sent and trust nobody, with no session to resume.
hal::SslContext lookingContext();

}  // namespace certmgr::crypto
