// The ports that are open for a while, as elements of a set of nftables that the administrator's rules
// accept.
#pragma once

#include <cstdint>

#include "certmgr/config/settings.h"

namespace certmgr::port {

class PacketFilter {
  public:
    explicit PacketFilter(const config::Settings& settings);

    // Until close(), and for the limit of the settings at most: the kernel sees to that.
    // Error(misconfigured): "not-a-challenge-port" where no CA asks on it, "no-port-set" where the set is not
    // there.
    void open(std::uint16_t port) const;
    // Where there is no set, nothing is open.
    void close(std::uint16_t port) const;

  private:
    const config::Settings& settings_;
    const std::string set_;  // family, table and name
};

}  // namespace certmgr::port
