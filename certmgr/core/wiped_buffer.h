// Room for octets that may be secret, on their way from one place to another.
#pragma once

#include <array>

#include <openssl/crypto.h>

namespace certmgr {

struct WipedBuffer {
    std::array<char, 16 * 1024> octets{};
    WipedBuffer() = default;
    WipedBuffer(const WipedBuffer&) = delete;
    WipedBuffer& operator=(const WipedBuffer&) = delete;
    ~WipedBuffer() { OPENSSL_cleanse(octets.data(), octets.size()); }
};

}  // namespace certmgr
