#include "certmgr/deploy/generation_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "certmgr/core/error.h"
#include "tests/support/child_process.h"
#include "tests/support/test_issuer.h"

namespace certmgr::deploy {
namespace {

using testing_support::readFile;
using testing_support::writeFile;

mode_t modeOf(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

class GenerationStoreTest : public ::testing::Test {
  protected:
    std::filesystem::path certificateFolder() const { return root_ / "live" / "nginx" / "gw.example"; }
    std::filesystem::path generation(int number) const {
        return certificateFolder() / "generations" / std::to_string(number);
    }
    std::string codeOf(const std::function<void()>& call) const {
        try {
            call();
            return "no error";
        } catch (const Error& error) {
            return error.code();
        }
    }

    testing_support::TemporaryDirectory root_;
    testing_support::TestIssuer issuer_;
    GenerationStore store_{root_ / "live"};
};

TEST_F(GenerationStoreTest, WritesTheFourFilesWithTheirModes) {
    const mode_t before = ::umask(0077);
    const Item item = issuer_.issue("gw.example", 7);
    store_.write("nginx", item);
    ::umask(before);

    EXPECT_EQ(readFile(generation(7) / "fullchain.pem"), item.credential.chainPem);
    EXPECT_EQ(readFile(generation(7) / "cert.pem") + readFile(generation(7) / "chain.pem"),
              item.credential.chainPem);
    EXPECT_EQ(readFile(generation(7) / "key.pem"), item.keyReferencePem);
    EXPECT_EQ(modeOf(generation(7)), 0755u);
    EXPECT_EQ(modeOf(generation(7) / "fullchain.pem"), 0644u);
    EXPECT_EQ(modeOf(generation(7) / "key.pem"), 0640u);
    EXPECT_FALSE(store_.active("nginx", "gw.example")) << "writing does not activate";
}

TEST_F(GenerationStoreTest, AReferenceIsReadableForAll) {
    Item item = issuer_.issue("gw.example", 7);
    item.keyReferencePem = "-----BEGIN CERTMGR KEY-----\nMAA=\n-----END CERTMGR KEY-----\n";
    store_.write("nginx", item);
    EXPECT_EQ(modeOf(generation(7) / "key.pem"), 0644u);
}

TEST_F(GenerationStoreTest, RefusesAKeyThatDoesNotFitBeforeAnythingIsTouched) {
    Item item = issuer_.issue("gw.example", 7);
    item.subjectPublicKeyInfo = issuer_.issue("gw.example", 7).subjectPublicKeyInfo;
    EXPECT_EQ(codeOf([&] { store_.write("nginx", item); }), "pair-mismatch");

    item = issuer_.issue("gw.example", 7);
    for (const std::string& key :
         {issuer_.issue("gw.example", 7).keyReferencePem, std::string(), item.credential.chainPem}) {
        item.keyReferencePem = key;
        EXPECT_EQ(codeOf([&] { store_.write("nginx", item); }), "pair-mismatch") << key;
    }
    EXPECT_FALSE(std::filesystem::exists(root_ / "live"));
}

TEST_F(GenerationStoreTest, RefusesNamesThatLeadElsewhere) {
    Item item = issuer_.issue("gw.example", 7);
    EXPECT_EQ(codeOf([&] { store_.write("../nginx", item); }), "bad-name");
    item.credential.certificate = "..";
    EXPECT_EQ(codeOf([&] { store_.write("nginx", item); }), "bad-name");
    item.credential.certificate = "gw.example";
    item.credential.generation = 0;
    EXPECT_EQ(codeOf([&] { store_.write("nginx", item); }), "bad-name");
}

TEST_F(GenerationStoreTest, WritingTheSameAgainLeavesItAlone) {
    const Item item = issuer_.issue("gw.example", 7);
    store_.write("nginx", item);
    const auto before = std::filesystem::last_write_time(generation(7) / "key.pem");
    std::filesystem::create_directory(certificateFolder() / "generations" / ".7.tmp");
    store_.write("nginx", item);
    EXPECT_EQ(std::filesystem::last_write_time(generation(7) / "key.pem"), before);
    EXPECT_FALSE(std::filesystem::exists(certificateFolder() / "generations" / ".7.tmp"));
}

TEST_F(GenerationStoreTest, ReplacesADamagedGenerationWhole) {
    const Item item = issuer_.issue("gw.example", 7);
    store_.write("nginx", item);
    store_.activate("nginx", "gw.example", 7);
    writeFile(generation(7) / "key.pem", "");
    store_.write("nginx", item);
    EXPECT_EQ(readFile(certificateFolder() / "current" / "key.pem"), item.keyReferencePem);
    EXPECT_FALSE(std::filesystem::exists(certificateFolder() / "generations" / ".7.tmp"));
}

TEST_F(GenerationStoreTest, ActivatesThereAndBack) {
    store_.write("nginx", issuer_.issue("gw.example", 7));
    store_.write("nginx", issuer_.issue("gw.example", 8));
    for (const std::int64_t number : {7, 8, 8, 7}) {
        store_.activate("nginx", "gw.example", number);
        EXPECT_EQ(store_.active("nginx", "gw.example"), number);
        EXPECT_EQ(std::filesystem::read_symlink(certificateFolder() / "current"),
                  "generations/" + std::to_string(number));
    }
}

TEST_F(GenerationStoreTest, DoesNotActivateWhatIsNotWhole) {
    store_.write("nginx", issuer_.issue("gw.example", 7));
    store_.write("nginx", issuer_.issue("gw.example", 8));
    store_.activate("nginx", "gw.example", 7);
    std::filesystem::remove(generation(8) / "key.pem");
    EXPECT_EQ(codeOf([&] { store_.activate("nginx", "gw.example", 8); }), "generation-missing");
    EXPECT_EQ(codeOf([&] { store_.activate("nginx", "gw.example", 9); }), "generation-missing");
    EXPECT_EQ(codeOf([&] { store_.activate("nginx", "other.example", 7); }), "generation-missing");
    EXPECT_EQ(store_.active("nginx", "gw.example"), 7);
}

TEST_F(GenerationStoreTest, SaysWhatAGenerationHolds) {
    const Item item = issuer_.issue("gw.example", 7);
    store_.write("nginx", item);
    const auto chain = store_.chainSha256("nginx", "gw.example", 7);
    ASSERT_EQ(chain.size(), 2u);
    EXPECT_EQ(chain.front(), testing_support::fingerprint(item.credential.chainPem));
    EXPECT_TRUE(store_.chainSha256("nginx", "gw.example", 8).empty());
}

TEST_F(GenerationStoreTest, PrunesAllButTheNamedAndTheActive) {
    for (const int number : {1, 2, 3, 4}) store_.write("nginx", issuer_.issue("gw.example", number));
    store_.activate("nginx", "gw.example", 2);
    std::filesystem::create_directory(certificateFolder() / "generations" / ".5.tmp");
    store_.prune("nginx", "gw.example", {4});
    for (const auto& [number, there] : {std::pair{1, false}, {2, true}, {3, false}, {4, true}})
        EXPECT_EQ(std::filesystem::exists(generation(number)), there) << number;
    EXPECT_FALSE(std::filesystem::exists(certificateFolder() / "generations" / ".5.tmp"));
    store_.prune("nginx", "never.example", {});
}

TEST_F(GenerationStoreTest, RemovesACertificate) {
    store_.write("nginx", issuer_.issue("gw.example", 7));
    store_.activate("nginx", "gw.example", 7);
    store_.removeCertificate("nginx", "gw.example");
    EXPECT_FALSE(std::filesystem::exists(certificateFolder()));
    store_.removeCertificate("nginx", "gw.example");
}

}  // namespace
}  // namespace certmgr::deploy
