// The encrypted file of a backup.
//
// Version 1: the line "certmgr-backup 1\n", 32 octets salt, 32 octets check value, then chunks: 64 KiB of
// content, the last one less, each encrypted by AES-256-GCM with its tag behind it. scrypt (RFC 7914, N=2^16,
// r=8, p=1: 64 MiB, fixed by the version, so that no file can ask for more) makes of passphrase and salt
// three secrets: the check value, by which a wrong passphrase is told from a damaged file, the key of the
// chunks, and a key under which the key store wraps private keys before they come here. The nonce is the
// chunk's number and whether it is the last, and the header is authenticated with each chunk: nothing can be
// changed, exchanged, left out or cut off unnoticed, and nothing is given out before it is authenticated.
//
// Why not a known container: CMS EncryptedData (RFC 5652) is not authenticated; what OpenSSL 3.0 offers for a
// passphrase (PWRI, or PKCS#12) hashes it by PBKDF2 alone and gives out content before the tag was checked.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "hal/handle.h"

namespace certmgr::crypto {

inline constexpr std::size_t shortestBackupPassphrase = 8;

// Wiped at its end.
class BackupSecrets {
  public:
    BackupSecrets(std::string_view passphrase, std::span<const std::uint8_t> salt);
    BackupSecrets(const BackupSecrets&) = delete;
    BackupSecrets& operator=(const BackupSecrets&) = delete;
    ~BackupSecrets();

    using Part = std::span<const std::uint8_t, 32>;
    Part verifier() const { return Part(octets_.data(), 32); }
    Part content() const { return Part(octets_.data() + 32, 32); }
    Part wrapping() const { return Part(octets_.data() + 64, 32); }

  private:
    std::array<std::uint8_t, 96> octets_{};
};

class BackupWriter {
  public:
    using Sink = std::function<void(std::string_view)>;
    // Error(rejected, "passphrase-too-short").
    BackupWriter(std::string_view passphrase, Sink sink);

    BackupSecrets::Part wrappingKey() const { return secrets_.wrapping(); }
    void write(std::string_view content);
    void finish();  // without it the file is refused

  private:
    void seal(bool last);

    std::string header_;
    BackupSecrets secrets_;
    Sink sink_;
    std::string chunk_;
    std::uint64_t number_ = 0;
};

// Errors (rejected): "not-a-backup", "newer-backup", "wrong-passphrase", "backup-damaged".
class BackupReader {
  public:
    // Fills what it is given; fewer octets only at the end of the file.
    using Source = std::function<std::size_t(std::span<char>)>;
    BackupReader(std::string_view passphrase, Source source);

    BackupSecrets::Part wrappingKey() const { return secrets_.wrapping(); }
    void read(std::span<char> content);  // all of it: "backup-damaged" where there is less
    void requireEnd();                   // "backup-damaged" where there is more

  private:
    bool open();  // the next chunk; false: there was none any more
    std::string fetch();

    Source source_;
    std::string header_;
    BackupSecrets secrets_;
    std::string ahead_;  // the next chunk, as it lies in the file
    std::string chunk_;
    std::size_t used_ = 0;
    std::uint64_t number_ = 0;
};

}  // namespace certmgr::crypto
