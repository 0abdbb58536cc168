#include <gtest/gtest.h>

#include "hal/keyd/admission.h"
#include "hal/keyd/key_cache.h"

namespace hal::keyd {
namespace {

std::shared_ptr<const CachedKey> someKey() {
    return std::make_shared<const CachedKey>();
}

TEST(Admission, AUserHasAShareAndManagersAReserve) {
    Admission admission({10, 4, 3});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(admission.enter(1, false));
    EXPECT_FALSE(admission.enter(1, false)) << "its share";
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(admission.enter(2, false));
    EXPECT_FALSE(admission.enter(3, false)) << "what is left is the managers'";
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(admission.enter(0, true));
    EXPECT_FALSE(admission.enter(0, true));
    admission.leave(1, false);
    EXPECT_TRUE(admission.enter(3, false));
}

TEST(KeyCache, ForgetsTheLeastRecentlyUsed) {
    KeyCache cache(2);
    const std::vector<KeyId> ids{KeyId::fresh(), KeyId::fresh(), KeyId::fresh()};
    cache.insert(ids[0], someKey(), 0);
    cache.insert(ids[1], someKey(), 0);
    EXPECT_TRUE(cache.find(ids[0]).key);
    cache.insert(ids[2], someKey(), 0);
    EXPECT_TRUE(cache.find(ids[0]).key);
    EXPECT_FALSE(cache.find(ids[1]).key);
}

TEST(KeyCache, AKeyThatWasReadBeforeItWasDestroyedIsNotKept) {
    KeyCache cache(2);
    const KeyId id = KeyId::fresh();
    const KeyCache::Lookup lookup = cache.find(id);
    cache.forget(id);
    cache.insert(id, someKey(), lookup.generation);
    EXPECT_FALSE(cache.find(id).key);
}

}  // namespace
}  // namespace hal::keyd
