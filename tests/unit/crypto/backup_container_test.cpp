// Whatever is done to the file of a backup, it is opened whole or not at all.
#include "certmgr/crypto/backup_container.h"

#include <gtest/gtest.h>

#include "certmgr/core/error.h"

namespace certmgr::crypto {
namespace {

constexpr std::string_view passphrase = "correct horse";
constexpr std::size_t chunkInFile = 64 * 1024 + 16;
constexpr std::size_t headerInFile = 81;

std::string sealed(const std::string& content) {
    std::string file;
    BackupWriter writer(passphrase, [&](std::string_view more) { file += more; });
    writer.write(content);
    writer.finish();
    return file;
}

std::string opened(std::string_view file, std::size_t size, std::string_view with = passphrase) {
    BackupReader reader(with, [&](std::span<char> part) {
        const std::size_t count = file.copy(part.data(), part.size());
        file.remove_prefix(count);
        return count;
    });
    std::string content(size, '\0');
    reader.read(content);
    reader.requireEnd();
    return content;
}

std::string codeOf(std::string_view file, std::size_t size, std::string_view with = passphrase) {
    try {
        opened(file, size, with);
        return "";
    } catch (const Error& error) {
        return error.code();
    }
}

TEST(BackupContainer, GivesBackWhatWentIn) {
    for (const std::size_t size : {0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 200'000}) {
        const std::string content(size, 'x');
        EXPECT_EQ(opened(sealed(content), size), content) << size;
    }
}

TEST(BackupContainer, TellsAWrongPassphraseAndAForeignFile) {
    std::string file = sealed("content");
    EXPECT_EQ(codeOf(file, 7, "another horse"), "wrong-passphrase");
    EXPECT_EQ(codeOf("PK\x03\x04", 7), "not-a-backup");
    EXPECT_EQ(codeOf("", 7), "not-a-backup");
    file[15] = '2';
    EXPECT_EQ(codeOf(file, 7), "newer-backup");
    EXPECT_THROW(BackupWriter("short", [](std::string_view) {}), Error);
}

TEST(BackupContainer, RefusesWhatWasChangedCutOffExchangedOrAdded) {
    const std::size_t size = 150'000;
    const std::string file = sealed(std::string(size, 'x'));
    for (const std::size_t at : {headerInFile, headerInFile + chunkInFile, file.size() - 1}) {
        std::string changed = file;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_EQ(codeOf(changed, size), "backup-damaged") << at;
    }
    for (const std::size_t end :
         {headerInFile - 1, headerInFile, headerInFile + 15, headerInFile + chunkInFile,
          headerInFile + 2 * chunkInFile, file.size() - 1})
        EXPECT_EQ(codeOf(file.substr(0, end), size), "backup-damaged") << end;
    const std::string first = file.substr(headerInFile, chunkInFile);
    const std::string second = file.substr(headerInFile + chunkInFile, chunkInFile);
    const std::string exchanged =
        file.substr(0, headerInFile) + second + first + file.substr(headerInFile + 2 * chunkInFile);
    EXPECT_EQ(codeOf(exchanged, size), "backup-damaged");
    EXPECT_EQ(codeOf(file + "x", size), "backup-damaged");
    EXPECT_EQ(codeOf(file, size - 1), "backup-damaged") << "more in it than is read";
    EXPECT_EQ(codeOf(file, size + 1), "backup-damaged") << "less";
}

}  // namespace
}  // namespace certmgr::crypto
