#include "hal/keyd/key_directory.h"

#include <gtest/gtest.h>

#include "hal/error.h"
#include "hal/keyd/key_file.h"
#include "tests/support/child_process.h"

namespace hal::keyd {
namespace {

KeyFile someFile() {
    KeyFile file;
    file.info.id = KeyId::fresh();
    file.info.label = "gw.example";
    file.info.publicKey = {1, 2, 3};
    file.stored = {4, 5, 6};
    return file;
}

class KeyDirectoryTest : public testing::Test {
  protected:
    const testing_support::TemporaryDirectory folder_;
    const std::filesystem::path path_ = folder_ / "keys";
};

TEST_F(KeyDirectoryTest, KeepsWhatWasCreatedAndNeverOverwrites) {
    const KeyFile file = someFile();
    KeyDirectory directory(path_);
    directory.create(file);
    KeyFile other = file;
    other.stored = {9};
    EXPECT_THROW(directory.create(other), Error);
    EXPECT_EQ(directory.load(file.info.id)->stored, file.stored);
    EXPECT_EQ(directory.ids(), std::vector<KeyId>{file.info.id});
}

TEST_F(KeyDirectoryTest, RemovesWhatACrashLeftAndNothingElse) {
    std::filesystem::create_directory(path_);
    std::filesystem::permissions(path_, std::filesystem::perms(0700));
    testing_support::writeFile(path_ / ".new-half", "half a key");
    testing_support::writeFile(path_ / "README", "an administrator's");
    const KeyDirectory directory(path_);
    EXPECT_FALSE(std::filesystem::exists(path_ / ".new-half"));
    EXPECT_TRUE(std::filesystem::exists(path_ / "README"));
}

TEST_F(KeyDirectoryTest, RefusesADirectoryThatOthersCanEnter) {
    std::filesystem::create_directory(path_);
    std::filesystem::permissions(path_, std::filesystem::perms(0750));
    EXPECT_THROW(KeyDirectory{path_}, Error);
}

TEST_F(KeyDirectoryTest, EachDamagedByteAndEachTruncationIsNoticed) {
    const SecretBytes good = encodeKeyFile(someFile());
    for (std::size_t i = 0; i < good.size(); ++i) {
        SecretBytes damaged = good;
        damaged[i] ^= 0x01;
        EXPECT_THROW(decodeKeyFile(damaged), Error) << i;
        EXPECT_THROW(decodeKeyFile(std::span(good).first(i)), Error) << i;
    }
    EXPECT_EQ(decodeKeyFile(good).info.label, "gw.example");
}

}  // namespace
}  // namespace hal::keyd
