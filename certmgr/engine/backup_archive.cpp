#include "certmgr/engine/backup_archive.h"

#include <algorithm>
#include <array>
#include <vector>

#include <nlohmann/json.hpp>

#include "certmgr/core/error.h"

namespace certmgr::engine {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t largestManifest = 4096;
constexpr std::uint64_t keyIdSize = 32;
constexpr std::uint64_t largestKey = 64 * 1024;
constexpr std::size_t mostKeys = 100'000;
constexpr std::size_t pieceSize = 64 * 1024;

Error badArchive(const std::string& found) {
    return {ErrorKind::rejected, "backup-damaged",
            "the content of the backup is none that certmgr wrote: " + found + "; nothing was changed"};
}

struct Section {
    char kind = 0;
    std::uint64_t size = 0;
};

Section nextSection(const std::function<void(std::span<char>)>& read) {
    std::array<char, 9> head{};
    read(head);
    Section section{head[0], 0};
    for (std::size_t i = 1; i < head.size(); ++i)
        section.size = section.size << 8 | static_cast<unsigned char>(head[i]);
    return section;
}

std::string contentOf(const Section& section, std::uint64_t largest,
                      const std::function<void(std::span<char>)>& read) {
    if (section.size > largest)
        throw badArchive(std::string("a section ") + section.kind + " of " + std::to_string(section.size) +
                         " octets, expected at most " + std::to_string(largest));
    std::string content(section.size, '\0');
    read(content);
    return content;
}

BackupManifest manifestFrom(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    const auto textAt = [&](const char* name) {
        const auto found = json.is_object() ? json.find(name) : json.end();
        if (found == json.end() || !found->is_string()) throw badArchive(std::string(name) + " is missing");
        return found->get<std::string>();
    };
    BackupManifest manifest{textAt("box"), textAt("host-name"), {}};
    const auto made = json.find("made");
    if (made == json.end() || !made->is_number_unsigned()) throw badArchive("its time is missing");
    manifest.made = TimePoint(seconds(made->get<std::uint32_t>()));
    return manifest;
}

void takeKey(const std::string& content, BackupContent& backup) {
    const auto id = hal::KeyId::parse(std::string_view(content).substr(0, keyIdSize));
    if (!id || backup.keys.size() == mostKeys) throw badArchive("a key without an id, or too many keys");
    const hal::Bytes wrapped(content.begin() + keyIdSize, content.end());
    if (!backup.keys.emplace(*id, wrapped).second) throw badArchive("a key that is there twice");
}

void takeDatabase(const Section& section, const std::function<void(std::span<char>)>& read,
                  const std::function<void(std::string_view)>& database) {
    if (section.size > largestBackupDatabase) throw badArchive("its database is larger than 1 GiB");
    std::vector<char> piece(pieceSize);
    for (std::uint64_t left = section.size; left > 0;) {
        const std::span<char> part(piece.data(), std::min<std::uint64_t>(left, piece.size()));
        read(part);
        database({part.data(), part.size()});
        left -= part.size();
    }
}

}  // namespace

void ArchiveWriter::begin(char kind, std::uint64_t size) {
    std::string head(1, kind);
    for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift & 0xff);
    sink_(head);
}

void ArchiveWriter::manifest(const BackupManifest& manifest) {
    const std::string text =
        Json{{"box", manifest.box},
             {"host-name", manifest.hostName},
             {"made", static_cast<std::uint64_t>(manifest.made.time_since_epoch().count())}}
            .dump(-1, ' ', true, Json::error_handler_t::replace);
    begin('M', text.size());
    sink_(text);
}

void ArchiveWriter::key(const hal::KeyId& id, std::span<const std::uint8_t> wrapped) {
    begin('K', keyIdSize + wrapped.size());
    sink_(id.text());
    sink_({reinterpret_cast<const char*>(wrapped.data()), wrapped.size()});
}

void ArchiveWriter::database(std::uint64_t size, const std::function<void(std::span<char>)>& read) {
    begin('D', size);
    takeDatabase({'D', size}, read, sink_);
}

void ArchiveWriter::end() {
    begin('E', 0);
}

BackupContent readArchive(const std::function<void(std::span<char>)>& read,
                          const std::function<void(std::string_view)>& database) {
    BackupContent backup;
    Section section = nextSection(read);
    if (section.kind != 'M') throw badArchive("it does not begin with what it is");
    backup.manifest = manifestFrom(contentOf(section, largestManifest, read));
    for (section = nextSection(read); section.kind == 'K'; section = nextSection(read)) {
        if (section.size < keyIdSize) throw badArchive("a key without an id");
        takeKey(contentOf(section, largestKey, read), backup);
    }
    if (section.kind != 'D') throw badArchive("a section of an unknown kind");
    takeDatabase(section, read, database);
    section = nextSection(read);
    if (section.kind != 'E' || section.size != 0) throw badArchive("it does not end with its end");
    return backup;
}

}  // namespace certmgr::engine
