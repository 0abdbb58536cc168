#include "certmgr/crypto/backup_container.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

using CipherContext = hal::Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Nonce = std::array<unsigned char, 12>;

constexpr std::string_view backupName = "certmgr-backup ";
constexpr std::string_view backupMagic = "certmgr-backup 1\n";
constexpr std::size_t saltSize = 32;
constexpr std::size_t checkSize = 32;
constexpr std::size_t headerSize = backupMagic.size() + saltSize + checkSize;
constexpr std::size_t chunkSize = 64 * 1024;
constexpr std::size_t chunkTagSize = 16;

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr std::uint64_t scryptCost = 2;
#else
constexpr std::uint64_t scryptCost = 1U << 16;
#endif
constexpr std::uint64_t scryptBlockSize = 8;
constexpr std::uint64_t scryptMemory = 96U << 20;

Error damagedBackup(const std::string& found) {
    return {ErrorKind::rejected, "backup-damaged",
            "the backup is damaged: " + found + "; nothing was changed, take another copy of it"};
}

unsigned char* octetsOf(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* octetsOf(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Nonce nonceOf(std::uint64_t number, bool last) {
    Nonce nonce{};
    for (std::size_t i = 0; i < 8; ++i) nonce[i + 3] = static_cast<unsigned char>(number >> (56 - 8 * i));
    nonce.back() = last ? 1 : 0;
    return nonce;
}

std::span<const std::uint8_t> saltOf(std::string_view header) {
    return {octetsOf(header) + backupMagic.size(), saltSize};
}

std::string freshHeader() {
    std::string header(backupMagic);
    header.resize(backupMagic.size() + saltSize);
    check(RAND_bytes(octetsOf(header) + backupMagic.size(), saltSize), "RAND_bytes");
    return header;
}

std::string fetchHeader(const BackupReader::Source& source) {
    std::string header(headerSize, '\0');
    header.resize(source(header));
    if (!header.starts_with(backupName))
        throw Error(ErrorKind::rejected, "not-a-backup",
                    "this is no backup of certmgr: it does not begin as one");
    if (!header.starts_with(backupMagic) && header.size() >= backupMagic.size())
        throw Error(ErrorKind::rejected, "newer-backup",
                    "the backup is of a version that this release does not know; expected version 1: "
                    "restore it with the release that wrote it, or a newer one");
    if (header.size() != headerSize) throw damagedBackup("it ends within its header");
    return header;
}

std::string_view longEnough(std::string_view passphrase) {
    if (passphrase.size() < shortestBackupPassphrase)
        throw Error(ErrorKind::rejected, "passphrase-too-short",
                    "the passphrase is too short: expected at least 8 characters, for whoever has the file "
                    "can try as many as they like");
    return passphrase;
}

}  // namespace

BackupSecrets::BackupSecrets(std::string_view passphrase, std::span<const std::uint8_t> salt) {
    check(EVP_PBE_scrypt(passphrase.data(), passphrase.size(), salt.data(), salt.size(), scryptCost,
                         scryptBlockSize, 1, scryptMemory, octets_.data(), octets_.size()),
          "EVP_PBE_scrypt");
}

BackupSecrets::~BackupSecrets() {
    OPENSSL_cleanse(octets_.data(), octets_.size());
}

BackupWriter::BackupWriter(std::string_view passphrase, Sink sink)
    : header_(freshHeader()), secrets_(longEnough(passphrase), saltOf(header_)), sink_(std::move(sink)) {
    header_.append(secrets_.verifier().begin(), secrets_.verifier().end());
    sink_(header_);
}

void BackupWriter::write(std::string_view content) {
    while (!content.empty()) {
        if (chunk_.size() == chunkSize) seal(false);
        const std::size_t count = std::min(chunkSize - chunk_.size(), content.size());
        chunk_.append(content.substr(0, count));
        content.remove_prefix(count);
    }
}

void BackupWriter::finish() {
    seal(true);
}

void BackupWriter::seal(bool last) {
    const Nonce nonce = nonceOf(number_++, last);
    const CipherContext context(check(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
    std::string sealed(chunk_.size() + chunkTagSize, '\0');
    int size = 0;
    check(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secrets_.content().data(),
                             nonce.data()),
          "EVP_EncryptInit_ex");
    check(EVP_EncryptUpdate(context.get(), nullptr, &size, octetsOf(std::string_view(header_)),
                            static_cast<int>(header_.size())),
          "EVP_EncryptUpdate");
    check(EVP_EncryptUpdate(context.get(), octetsOf(sealed), &size, octetsOf(std::string_view(chunk_)),
                            static_cast<int>(chunk_.size())),
          "EVP_EncryptUpdate");
    check(EVP_EncryptFinal_ex(context.get(), octetsOf(sealed) + size, &size), "EVP_EncryptFinal_ex");
    check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, chunkTagSize,
                              octetsOf(sealed) + chunk_.size()),
          "EVP_CTRL_GCM_GET_TAG");
    chunk_.clear();
    sink_(sealed);
}

BackupReader::BackupReader(std::string_view passphrase, Source source)
    : source_(std::move(source)), header_(fetchHeader(source_)), secrets_(passphrase, saltOf(header_)) {
    const std::string_view stored = std::string_view(header_).substr(headerSize - checkSize);
    if (CRYPTO_memcmp(stored.data(), secrets_.verifier().data(), checkSize) != 0)
        throw Error(ErrorKind::rejected, "wrong-passphrase",
                    "the passphrase is not the one of this backup, or the first 81 octets of the file are "
                    "damaged; nothing was changed");
    ahead_ = fetch();
}

std::string BackupReader::fetch() {
    std::string sealed(chunkSize + chunkTagSize, '\0');
    sealed.resize(source_(sealed));
    return sealed;
}

bool BackupReader::open() {
    if (ahead_.empty() && number_ > 0) return false;
    if (ahead_.size() < chunkTagSize) throw damagedBackup("it is cut off");
    std::string sealed = std::move(ahead_);
    const bool full = sealed.size() == chunkSize + chunkTagSize;
    ahead_ = full ? fetch() : std::string();
    const Nonce nonce = nonceOf(number_++, ahead_.empty());
    const CipherContext context(check(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
    chunk_.resize(sealed.size() - chunkTagSize);
    used_ = 0;
    int size = 0;
    const bool whole =
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, secrets_.content().data(),
                           nonce.data()) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &size, octetsOf(std::string_view(header_)),
                          static_cast<int>(header_.size())) == 1 &&
        EVP_DecryptUpdate(context.get(), octetsOf(chunk_), &size, octetsOf(std::string_view(sealed)),
                          static_cast<int>(chunk_.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, chunkTagSize,
                            octetsOf(sealed) + chunk_.size()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), octetsOf(chunk_) + size, &size) == 1;
    ERR_clear_error();
    if (!whole) throw damagedBackup("it was changed or cut off (chunk " + std::to_string(number_) + ")");
    return true;
}

void BackupReader::read(std::span<char> content) {
    while (!content.empty()) {
        if (used_ == chunk_.size() && !open()) throw damagedBackup("it ends before its content does");
        const std::size_t count = std::min(chunk_.size() - used_, content.size());
        std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(used_), count, content.begin());
        used_ += count;
        content = content.subspan(count);
    }
}

void BackupReader::requireEnd() {
    while (used_ == chunk_.size())
        if (!open()) return;
    throw damagedBackup("there is more in it than its content");
}

}  // namespace certmgr::crypto
