// The directory tree that services read:
//   ROOT/SERVICE/CERTIFICATE/generations/N/{fullchain.pem,chain.pem,cert.pem,key.pem[,combined.pem]}
//   ROOT/SERVICE/CERTIFICATE/current -> generations/N          (one rename(2) swaps it)
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "certmgr/core/service_profile.h"

namespace certmgr::deploy {

// One certificate of one service.
struct Item {
    Credential credential;
    std::string keyReferencePem;      // what goes into key.pem
    hal::Bytes subjectPublicKeyInfo;  // DER, of the key that the reference names: KeyInfo::publicKey
    FileFormat format = FileFormat::split;
};

// Of files that hold a private key; where nothing is said, they stay with who writes them.
struct SecretRights {
    std::optional<uid_t> owner = std::nullopt;
    std::optional<gid_t> group = std::nullopt;
    mode_t mode = 0640;
};

// What lies here is derived from the database and can be made again. A generation appears under its number
// only when it is whole and on the disk; until then it is a directory with a leading dot, which the next
// write() or prune() removes. Directories are 0755, certificates 0644. What holds a key is 0644 where that is
// a reference, which is no secret, else it has the `rights`.
//
// Threads: different services at once; one service from one thread.
// Errors: Error "pair-mismatch" (internal); "bad-pem", "bad-certificate", "too-large", "bad-name" (rejected);
// "disk-full" (internal); "read-only", "access-denied" (misconfigured); "generation-missing",
// "write-damaged", "system-call-failed" (internal). After an error `current` points where it did, or, where
// only the last flush failed, at the new generation.
class GenerationStore {
  public:
    // The root is made when it is missing; its parent must exist.
    explicit GenerationStore(std::filesystem::path root, SecretRights rights = {});

    // Checks that key and leaf belong together before anything is touched, writes, flushes, reads back and
    // compares. A generation that is there with the same content is left alone (a crash repeats the call);
    // with another content (damaged, or of a database that was restored) it is replaced in one step.
    void write(const std::string& service, const Item& item) const;
    // Atomic and durable. The generation must exist.
    void activate(const std::string& service, const CertificateId& certificate,
                  std::int64_t generation) const;
    std::optional<std::int64_t> active(const std::string& service, const CertificateId& certificate) const;
    // SHA-256 of the generation's certificates, leaf first, lower-case hex; empty where the generation is not
    // whole.
    std::vector<std::string> chainSha256(const std::string& service, const CertificateId& certificate,
                                         std::int64_t generation) const;
    // Removes all generations but those named and the active one; unfinished directories go too.
    void prune(const std::string& service, const CertificateId& certificate,
               const std::vector<std::int64_t>& keep) const;
    void removeCertificate(const std::string& service, const CertificateId& certificate) const;

  private:
    std::filesystem::path root_;
    SecretRights rights_;
};

}  // namespace certmgr::deploy
