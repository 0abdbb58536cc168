#include "hal/keyd/key_file.h"

#include <algorithm>
#include <array>
#include <string>

#include <openssl/sha.h>

#include "hal/client/messages.h"
#include "hal/client/wire.h"
#include "hal/error.h"
#include "hal/keyd/secret.h"

namespace hal::keyd {
namespace {

constexpr std::string_view magic = "certmgr key file 1\n";
constexpr std::uint8_t version = 1;

using Checksum = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

Checksum checksumOf(std::span<const std::uint8_t> content) {
    Checksum checksum;
    SHA256(content.data(), content.size(), checksum.data());
    return checksum;
}

Error damaged(const std::string& found) {
    return Error(
        ErrorKind::internal, "key-damaged",
        "the key file is damaged (" + found + "); restore it from a backup, or reissue with a new key");
}

std::span<const std::uint8_t> bytesOf(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

SecretBytes encodeKeyFile(const KeyFile& file) {
    wire::Message message{version, {}};
    wire::append(message.fields, file.info);
    message.fields.emplace_back(file.stored.begin(), file.stored.end());
    std::string fields = wire::encode(message);
    const Checksum checksum = checksumOf(bytesOf(fields));
    SecretBytes content;
    content.reserve(magic.size() + checksum.size() + fields.size());
    content.insert(content.end(), magic.begin(), magic.end());
    content.insert(content.end(), checksum.begin(), checksum.end());
    content.insert(content.end(), fields.begin(), fields.end());
    wipe(fields);
    wipe(message.fields.back());
    return content;
}

KeyFile decodeKeyFile(std::span<const std::uint8_t> content) {
    constexpr std::size_t head = magic.size() + SHA256_DIGEST_LENGTH;
    if (content.size() < head + 4 || !std::equal(magic.begin(), magic.end(), content.begin()))
        throw damaged("it does not begin as one");
    const auto body = content.subspan(head);
    const Checksum checksum = checksumOf(body);
    if (!std::equal(checksum.begin(), checksum.end(), content.begin() + magic.size()))
        throw damaged("its checksum does not fit");
    wire::Message message = wire::decode({reinterpret_cast<const char*>(body.data()) + 4, body.size() - 4});
    if (message.tag != version || message.fields.size() != wire::keyInfoFields + 1)
        throw damaged("a newer release wrote it");
    std::string& stored = message.fields.back();
    KeyFile file{wire::keyInfoAt(message.fields, 0), SecretBytes(stored.begin(), stored.end())};
    wipe(stored);
    return file;
}

}  // namespace hal::keyd
