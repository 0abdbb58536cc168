// Text that is wiped when it goes: an uploaded file, a passphrase, a private key on its way to the key store.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <openssl/crypto.h>

namespace certmgr::crypto {

// Its room is taken at once and never grows, so that no copy of a part is left behind.
class SecretText {
  public:
    explicit SecretText(std::size_t room) { text_.reserve(room); }
    SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    SecretText& operator=(SecretText&&) = delete;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { wipe(); }

    std::string_view view() const noexcept { return text_; }
    std::size_t room() const noexcept { return text_.capacity() - text_.size(); }
    // At most room() of it.
    void append(std::string_view more) { text_.append(more.substr(0, room())); }
    void removeSuffix(std::size_t count) { text_.resize(text_.size() - std::min(count, text_.size())); }

  private:
    void wipe() noexcept {
        text_.resize(text_.capacity());
        OPENSSL_cleanse(text_.data(), text_.size());
        text_.clear();
    }

    std::string text_;
};

}  // namespace certmgr::crypto
