#include "hal/client/wire.h"

#include <gtest/gtest.h>

#include "hal/client/messages.h"

namespace hal::wire {
namespace {

KeyInfo someInfo() {
    return {KeyId::fresh(),
            KeyAlgorithm::rsa3072,
            KeyBackend::sealed,
            "as-asked",
            "because",
            {1, 0, 255},
            {{"a", "b"}, {"g"}},
            "gw.example",
            std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)),
            true};
}

TEST(Wire, AMessageComesBackAsItWent) {
    const Message sent{7, {"", "abc", std::string("\0\xff\n", 3), std::string(70'000, 'x')}};
    const std::string frame = encode(sent);
    EXPECT_EQ(lengthAt(frame), frame.size() - 4);
    const Message received = decode(std::string_view(frame).substr(4));
    EXPECT_EQ(received.tag, sent.tag);
    EXPECT_EQ(received.fields, sent.fields);
}

TEST(Wire, EachTruncationIsRefusedOrAShorterMessage) {
    const std::string frame = encode({1, {"abc", "defg"}});
    for (std::size_t size = 0; size + 4 < frame.size(); ++size) {
        const std::string_view cut = std::string_view(frame).substr(4, size);
        const bool boundary = size == 1 || size == 8;  // behind the tag, and behind the first field
        if (boundary) {
            EXPECT_NO_THROW(decode(cut)) << size;
        } else {
            EXPECT_THROW(decode(cut), Error) << size;
        }
    }
}

TEST(Wire, NothingLargerThanAFrame) {
    EXPECT_THROW(encode({1, {std::string(maxFrame, 'x')}}), Error);
    EXPECT_THROW(decode(std::string(maxFrame + 1, '\0')), Error);
}

TEST(Wire, KeyInfoComesBackAsItWent) {
    const KeyInfo sent = someInfo();
    std::vector<std::string> fields;
    append(fields, sent);
    ASSERT_EQ(fields.size(), keyInfoFields);
    const KeyInfo received = keyInfoAt(fields, 0);
    EXPECT_EQ(received.id, sent.id);
    EXPECT_EQ(received.publicKey, sent.publicKey);
    EXPECT_EQ(received.access.users, sent.access.users);
    EXPECT_EQ(received.access.groups, sent.access.groups);
    EXPECT_EQ(received.created, sent.created);
    EXPECT_TRUE(received.released);
    fields[10] = "maybe";
    EXPECT_THROW(keyInfoAt(fields, 0), Error);
    EXPECT_THROW(keyInfoAt(fields, 1), Error);
}

TEST(Wire, AnErrorKeepsKindCodeAndSentence) {
    const Error received = errorFrom(replyOf(Error(ErrorKind::misconfigured, "tpm-full", "no room")));
    EXPECT_EQ(received.kind(), ErrorKind::misconfigured);
    EXPECT_EQ(received.code(), "tpm-full");
    EXPECT_STREQ(received.what(), "no room");
}

}  // namespace
}  // namespace hal::wire
