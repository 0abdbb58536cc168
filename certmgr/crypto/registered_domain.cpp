#include "certmgr/crypto/registered_domain.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <libpsl.h>

namespace certmgr::crypto {
namespace {

std::string networkOf(const std::string& address) {
    std::array<unsigned char, sizeof(in6_addr)> octets{};
    if (::inet_pton(AF_INET6, address.c_str(), octets.data()) != 1) return address;
    std::fill(octets.begin() + 8, octets.end(), static_cast<unsigned char>(0));
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET6, octets.data(), text.data(), text.size());
    return std::string(text.data()) + "/64";
}

}  // namespace

std::string registeredDomain(const Identifier& name) {
    if (name.type == Identifier::Type::ip) return networkOf(name.value);
    const std::string plain = provenName(name);
    const char* const domain = psl_registrable_domain(psl_builtin(), plain.c_str());
    return domain ? domain : plain;
}

}  // namespace certmgr::crypto
