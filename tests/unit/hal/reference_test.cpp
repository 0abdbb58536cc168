#include "hal/client/reference.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "hal/error.h"

namespace hal {
namespace {

const KeyReference reference{"/run/certmgr/keyd.sock", KeyId::fresh(), {0x30, 0x00, 0xff}};

TEST(Reference, ComesBackAsItWent) {
    const KeyReference read = keyReferenceFromPem(toPem(reference));
    EXPECT_EQ(read.socketPath, reference.socketPath);
    EXPECT_EQ(read.id, reference.id);
    EXPECT_EQ(read.publicKey, reference.publicKey);
    EXPECT_EQ(toDer(read), toDer(reference));
}

TEST(Reference, EachTruncationAndTrailingByteIsRefused) {
    Bytes der = toDer(reference);
    for (std::size_t size = 0; size < der.size(); ++size)
        EXPECT_THROW(keyReferenceFromDer(std::span(der).first(size)), Error) << size;
    der.push_back(0);
    EXPECT_THROW(keyReferenceFromDer(der), Error);
}

TEST(Reference, WhatPointsNowhereIsRefused) {
    EXPECT_THROW(keyReferenceFromDer(toDer({"keyd.sock", reference.id, {}})), Error) << "a relative path";
    EXPECT_THROW(keyReferenceFromDer(toDer({std::string("/a\0b", 4), reference.id, {}})), Error);
    EXPECT_THROW(keyReferenceFromDer(toDer({"/keyd.sock", KeyId(), {}})), Error);
    EXPECT_THROW(keyReferenceFromPem("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
                 Error);
    EXPECT_THROW(keyReferenceFromPem("nothing"), Error);
}

TEST(Reference, AFailureLeavesNoOpenSslErrorBehind) {
    ERR_clear_error();
    EXPECT_THROW(keyReferenceFromPem("nothing"), Error);
    EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace hal
