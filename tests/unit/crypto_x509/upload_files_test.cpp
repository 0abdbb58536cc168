// The formats of an upload, its passphrase, and its key.
#include <cstdlib>
#include <set>

#include <openssl/pem.h>

#include "certmgr/crypto/private_pem.h"
#include "certmgr/crypto/upload.h"
#include "tests/unit/crypto_x509/fixtures.h"

namespace {

using namespace fixtures;
using namespace certmgr::crypto;

constexpr const char* passphrase = "fixture";

UploadReport upload(const std::vector<std::string>& contents, const char* secret = nullptr) {
    UploadFiles files;
    for (const std::string& content : contents) files.contents.emplace_back(content);
    if (secret) files.passphrase = secret;
    return inspectUpload(files, {}, now);
}

// The first code; "" where there is no finding.
std::string refusal(const std::vector<std::string>& contents, const char* secret = nullptr) {
    const UploadReport report = upload(contents, secret);
    if (report.acceptable()) return {};
    EXPECT_FALSE(report.key);
    EXPECT_GT(report.findings.front().message.size(), 20U);
    return report.findings.front().code;
}

std::string derOf(const std::string& pem) {
    const hal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    EXPECT_EQ(PEM_read_bio(bio.get(), &name, &header, &data, &size), 1);
    std::string der(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return der;
}

const std::string leafAndIssuing = text("leaf.pem") + text("issuing.pem");

TEST(UploadFiles, PemInOneFileOrInSeveral) {
    EXPECT_EQ(refusal({text("root.pem") + text("leaf.key") + text("issuing.pem") + text("leaf.pem")}), "");
    EXPECT_EQ(refusal({text("leaf.key"), text("issuing.pem"), text("leaf.pem")}), "");
    EXPECT_EQ(refusal({"a text before\r\n" + leafAndIssuing, text("leaf-traditional.key") + "and behind"}),
              "");
}

TEST(UploadFiles, DerInSeveralFiles) {
    EXPECT_EQ(refusal({derOf(text("leaf.pem")), derOf(text("issuing.pem")), derOf(text("leaf.key"))}), "");
    EXPECT_EQ(refusal({derOf(text("leaf.pem")), text("issuing.pem"), derOf(text("leaf-traditional.key"))}),
              "");
    EXPECT_EQ(refusal({leafAndIssuing, derOf(text("leaf-encrypted.key"))}, passphrase), "");
}

TEST(UploadFiles, OfSeveralKeysTheOneThatFits) {
    EXPECT_EQ(refusal({leafAndIssuing + text("other.key") + text("leaf.key")}), "");
    EXPECT_EQ(refusal({leafAndIssuing + text("leaf.key") + text("leaf-encrypted.key")}), "")
        << "an encrypted one beside it does no harm";
    EXPECT_EQ(refusal({leafAndIssuing + text("other.key")}), "key-mismatch");
    EXPECT_EQ(refusal({leafAndIssuing}), "no-key");
    EXPECT_EQ(refusal({text("leaf.key")}), "no-certificate");
}

TEST(UploadFiles, EncryptedKeysNeedTheirPassphrase) {
    for (const char* key :
         {"leaf-encrypted.key", "leaf-traditional-encrypted.key", "leaf-scrypt.key", "leaf-des.key"}) {
        EXPECT_EQ(refusal({leafAndIssuing, text(key)}, passphrase), "") << key;
        EXPECT_EQ(refusal({leafAndIssuing, text(key)}), "passphrase-needed") << key;
        EXPECT_EQ(refusal({leafAndIssuing, text(key)}, "wrong"), "wrong-passphrase") << key;
        EXPECT_EQ(refusal({leafAndIssuing, text(key)}, ""), "wrong-passphrase") << key;
    }
}

TEST(UploadFiles, Pkcs12OfEveryMake) {
    for (const char* file :
         {"leaf.p12", "leaf-legacy.p12", "leaf-3des.p12", "leaf-nomac.p12", "leaf-gnutls.p12"}) {
        EXPECT_EQ(refusal({text(file)}, passphrase), "") << file;
        EXPECT_EQ(refusal({text(file)}), "passphrase-needed") << file;
        EXPECT_EQ(refusal({text(file)}, "wrong"), "wrong-passphrase") << file;
    }
    EXPECT_EQ(refusal({text("leaf-empty.p12")}), "") << "an empty passphrase is none";
    EXPECT_EQ(refusal({text("leaf-empty.p12")}, ""), "");
    EXPECT_EQ(refusal({text("leaf-empty.p12")}, "wrong"), "wrong-passphrase");
}

TEST(UploadFiles, SaysPlainlyThatTheLegacyProviderIsMissing) {
    const auto messageWithoutLegacy = [](const std::vector<std::string>& contents) {
        ::setenv("OPENSSL_MODULES", "/nonexistent", 1);
        const UploadReport report = upload(contents, passphrase);
        ::unsetenv("OPENSSL_MODULES");
        return report.acceptable() ? "" : report.findings.front().message;
    };
    EXPECT_NE(messageWithoutLegacy({text("leaf-legacy.p12")})
                  .find("pbeWithSHA1And40BitRC2-CBC, which needs OpenSSL's legacy"),
              std::string::npos)
        << messageWithoutLegacy({text("leaf-legacy.p12")});
    EXPECT_NE(messageWithoutLegacy({leafAndIssuing, text("leaf-des.key")}).find("legacy provider"),
              std::string::npos);
    EXPECT_EQ(messageWithoutLegacy({text("leaf-3des.p12")}), "");
    EXPECT_EQ(messageWithoutLegacy({text("leaf.p12")}), "");
}

TEST(UploadFiles, NoMessageHoldsThePassphraseOrTheKey) {
    const std::string secret = "correct horse battery";
    for (const char* file : {"leaf.p12", "leaf-legacy.p12", "leaf-encrypted.key"}) {
        const UploadReport report = upload({leafAndIssuing, text(file)}, secret.c_str());
        ASSERT_FALSE(report.acceptable());
        for (const Finding& finding : report.findings)
            EXPECT_EQ(finding.message.find("horse"), std::string::npos) << finding.message;
    }
    const std::string key = text("leaf.key");
    const UploadReport damaged = upload({leafAndIssuing + key.substr(0, 100)});
    ASSERT_FALSE(damaged.acceptable());
    EXPECT_EQ(damaged.findings.front().message.find(key.substr(40, 20)), std::string::npos);
}

TEST(UploadFiles, EverythingElseIsRefusedPlainly) {
    EXPECT_EQ(refusal({}), "empty");
    EXPECT_EQ(refusal({""}), "empty");
    EXPECT_EQ(refusal({" \n"}), "empty");
    EXPECT_EQ(refusal({"this is no certificate"}), "bad-format");
    EXPECT_EQ(refusal({"<html></html>"}), "bad-format");
    EXPECT_EQ(refusal({std::string("\x30\x82\x01\x00junk", 8)}), "bad-format");
    EXPECT_EQ(refusal({"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"}), "bad-format");
    EXPECT_EQ(refusal({"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}), "bad-certificate");
    EXPECT_EQ(refusal({"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"}), "bad-pem");
    EXPECT_EQ(refusal({leafAndIssuing + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}),
              "bad-key");
    const std::string pfx = text("leaf.p12");
    for (std::size_t size = 1; size < pfx.size(); size += 7)
        ASSERT_NE(refusal({pfx.substr(0, size)}, passphrase), "") << size;
    const std::string key = text("leaf.key");
    for (std::size_t size = 0; size + 1 < key.size(); ++size)
        ASSERT_NE(refusal({leafAndIssuing + key.substr(0, size)}), "") << size;
}

TEST(UploadFiles, TheKeyGoesOnAsPkcs8) {
    const UploadReport report = upload({text("leaf.p12")}, passphrase);
    ASSERT_TRUE(report.key);
    const PrivatePem pem(*report.key);
    EXPECT_EQ(pem.view(), text("leaf.key"));
}

}  // namespace
