#include "hal/keyd/key_service.h"

#include <gtest/gtest.h>

#include "hal/error.h"
#include "hal/keyd/key_export.h"
#include "tests/support/child_process.h"

namespace hal::keyd {
namespace {

TEST(KeyServiceTest, AKeyFromABackupTakesThePlaceOfItsDamagedFile) {
    const testing_support::TemporaryDirectory folder;
    KeyService service(folder / "keys", "none");
    const KeyInfo made = service.make({KeyId::fresh(), KeyAlgorithm::ecP256, KeyPolicy::file, {}, "gw"});
    const Bytes wrappingKey(32, 7);
    const Bytes wrapped = service.exportWrapped(made.id, wrappingKey);
    testing_support::writeFile(folder / "keys" / (made.id.text() + ".key"), "half a key");
    EXPECT_THROW(service.find(made.id), Error);
    EXPECT_EQ(service.importWrapped(made.id, wrappingKey, wrapped).publicKey, made.publicKey);
    EXPECT_EQ(service.find(made.id)->publicKey, made.publicKey);
    EXPECT_TRUE(service.damagedKeys().empty());
}

TEST(KeyServiceTest, AKeyFromABackupPassesTheChecksOfAnyOther) {
    const testing_support::TemporaryDirectory folder;
    const std::filesystem::path elsewhere = folder / "elsewhere";
    const KeyId id = KeyService(elsewhere, "none").make({KeyId::fresh(), KeyAlgorithm::ecP256}).id;
    KeyFile file = *KeyDirectory(elsewhere).load(id);
    file.info.label = "two\nlines";
    const Bytes wrappingKey(32, 7);
    KeyService service(folder / "keys", "none");
    EXPECT_THROW(service.importWrapped(id, wrappingKey, exportKeyFile(file, wrappingKey)), Error);
    EXPECT_FALSE(service.find(id));
}

}  // namespace
}  // namespace hal::keyd
