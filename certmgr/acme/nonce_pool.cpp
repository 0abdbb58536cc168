#include "certmgr/acme/nonce_pool.h"

#include <algorithm>

#include "certmgr/core/ascii.h"

namespace certmgr::acme {

std::optional<std::string> NoncePool::nonceOf(const net::HttpResponse& response) {
    constexpr std::size_t maxLength = 512;
    std::optional<std::string> nonce = response.header("replay-nonce");
    if (!nonce || nonce->empty() || nonce->size() > maxLength) return std::nullopt;
    const auto base64url = [](char c) { return isLetterOrDigit(c) || c == '-' || c == '_'; };
    if (!std::all_of(nonce->begin(), nonce->end(), base64url)) return std::nullopt;
    return nonce;
}

void NoncePool::put(std::string nonce) {
    constexpr std::size_t maxNonces = 64;
    const std::lock_guard lock(mutex_);
    if (nonces_.size() == maxNonces) nonces_.erase(nonces_.begin());
    nonces_.push_back(std::move(nonce));
}

std::optional<std::string> NoncePool::take() {
    const std::lock_guard lock(mutex_);
    if (nonces_.empty()) return std::nullopt;
    std::string nonce = std::move(nonces_.back());
    nonces_.pop_back();
    return nonce;
}

}  // namespace certmgr::acme
