// Bytes that are wiped when they are freed. Not from OpenSSL's locked heap: once that exists all of OpenSSL's
// private numbers go there too, under one lock, and a P-384 signature takes twice as long. keyd's unit keeps
// it out of the swap.
#pragma once

#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include <openssl/crypto.h>

namespace hal::keyd {

template <class T>
struct WipingAllocator {
    using value_type = T;
    WipingAllocator() = default;
    template <class U>
    explicit WipingAllocator(const WipingAllocator<U>&) noexcept {}

    T* allocate(std::size_t count) {
        void* memory = OPENSSL_malloc(count * sizeof(T));
        if (!memory) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t count) noexcept { OPENSSL_clear_free(memory, count * sizeof(T)); }
    bool operator==(const WipingAllocator&) const noexcept { return true; }
};

using SecretBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

inline void wipe(std::string& text) {
    OPENSSL_cleanse(text.data(), text.size());
}

}  // namespace hal::keyd
