// A backup as a file under a known passphrase, and as the content of one.
#include <cstdint>
#include <string_view>

#include "certmgr/core/error.h"
#include "certmgr/crypto/backup_container.h"
#include "certmgr/engine/backup_archive.h"

namespace {

using namespace certmgr;

std::size_t take(std::string_view& rest, std::span<char> part) {
    const std::size_t count = rest.copy(part.data(), part.size());
    rest.remove_prefix(count);
    return count;
}

template <class Read>
void readAll(Read read) {
    try {
        engine::readArchive(read, [](std::string_view) {});
    } catch (const Error&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    std::string_view content = input;
    readAll([&](std::span<char> part) {
        if (take(content, part) < part.size()) throw Error(ErrorKind::rejected, "backup-damaged", "its end");
    });
    try {
        std::string_view file = input;
        crypto::BackupReader reader("correct horse", [&](std::span<char> part) { return take(file, part); });
        readAll([&](std::span<char> part) { reader.read(part); });
    } catch (const Error&) {
    }
    return 0;
}
