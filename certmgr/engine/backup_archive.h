// What a backup holds, as octets inside its encrypted file: sections, each one octet kind, eight octets
// length (big endian) and the content, in this order: 'M' what it is (JSON), 'K' a key, any number of times
// (its id, 32 octets, and the key as the key store wrapped it), 'D' the database (a file of SQLite), 'E' the
// end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "certmgr/core/clock.h"
#include "hal/key_store.h"

namespace certmgr::engine {

struct BackupManifest {
    std::string box;  // an id of the box, made with its first backup
    std::string hostName;
    TimePoint made;
};

inline constexpr std::uint64_t largestBackupDatabase = std::uint64_t{1} << 30;

class ArchiveWriter {
  public:
    using Sink = std::function<void(std::string_view)>;
    explicit ArchiveWriter(Sink sink) : sink_(std::move(sink)) {}
    void manifest(const BackupManifest& manifest);
    void key(const hal::KeyId& id, std::span<const std::uint8_t> wrapped);
    // `read` fills what it is given, and is called until `size` octets came.
    void database(std::uint64_t size, const std::function<void(std::span<char>)>& read);
    void end();

  private:
    void begin(char kind, std::uint64_t size);
    Sink sink_;
};

struct BackupContent {
    BackupManifest manifest;
    std::map<hal::KeyId, hal::Bytes> keys;
};

// `read` fills what it is given; `database` is handed the database piece by piece. What is not as above, or
// larger than any backup, is an Error(rejected, "backup-damaged").
BackupContent readArchive(const std::function<void(std::span<char>)>& read,
                          const std::function<void(std::string_view)>& database);

}  // namespace certmgr::engine
