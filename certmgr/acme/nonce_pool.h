// RFC 8555 6.5: every answer brings a nonce that pays for one later request.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/net/http_client.h"

namespace certmgr::acme {

class NoncePool {
  public:
    // RFC 8555 6.5.1: a value outside base64url is ignored.
    static std::optional<std::string> nonceOf(const net::HttpResponse& response);

    void put(std::string nonce);
    std::optional<std::string> take();  // the youngest: servers forget old ones

  private:
    std::mutex mutex_;
    std::vector<std::string> nonces_;  // the youngest last
};

}  // namespace certmgr::acme
