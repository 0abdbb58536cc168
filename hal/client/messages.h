// The values that travel in the fields of a message.
#pragma once

#include "hal/client/wire.h"
#include "hal/error.h"
#include "hal/key_store.h"

namespace hal::wire {

inline constexpr std::size_t keyInfoFields = 11;

// All that read throw Error(rejected, "bad-message") for what does not fit.
void append(std::vector<std::string>& fields, const KeyInfo& info);
KeyInfo keyInfoAt(const std::vector<std::string>& fields, std::size_t position);

void append(std::vector<std::string>& fields, const AccessList& access);
AccessList accessListAt(const std::vector<std::string>& fields, std::size_t position);

void append(std::vector<std::string>& fields, const KeyRequest& request);
KeyRequest keyRequestAt(const std::vector<std::string>& fields);  // the first six

void append(std::vector<std::string>& fields, const BackendHealth& health);
std::vector<BackendHealth> healthFrom(const std::vector<std::string>& fields);

KeyId keyIdFrom(const std::string& text);

std::string_view toString(SignatureScheme scheme) noexcept;  // "ecdsa", "rsa-pkcs1", "rsa-pss"
std::string_view toString(Hash hash) noexcept;               // "sha256", "sha384", "sha512"
SignatureScheme signatureSchemeFrom(std::string_view text);
Hash hashFrom(std::string_view text);

Message replyOf(const Error& error);
Error errorFrom(const Message& reply);

}  // namespace hal::wire
