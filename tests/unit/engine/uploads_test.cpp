// Chains of the administrator's own: which certificates they serve, what follows them, and that a refused one
// leaves no trace.
#include "certmgr/crypto/private_pem.h"
#include "certmgr/crypto/x509.h"
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::hours;

hal::Bytes publicDer(EVP_PKEY& key) {
    hal::Bytes der(static_cast<std::size_t>(i2d_PUBKEY(&key, nullptr)));
    unsigned char* end = der.data();
    i2d_PUBKEY(&key, &end);
    return der;
}

class UploadsTest : public EngineTest {
  protected:
    UploadsTest() {
        profile.certificates.push_back(specFor("app.example.com"));
        profile.certificates.push_back(specFor("example.org"));
        root = crypto::buildCa({"Company root", "", start - 100 * day, start + 1000 * day},
                               publicDer(*rootKey), nullptr, *rootKey);
    }

    // Leaf, root and key as one text.
    std::string chainFor(const std::string& name, TimePoint notBefore, TimePoint notAfter) const {
        const hal::Pkey key(EVP_EC_gen("P-256"));
        const auto leaf = crypto::buildServerLeaf({parseIdentifiers({name}), notBefore, notAfter},
                                                  publicDer(*key), *root, *rootKey);
        return crypto::toPem(*leaf) + crypto::toPem(*root) + std::string(crypto::PrivatePem(*key).view());
    }

    std::string upload(const std::string& content, bool dryRun = false) {
        UploadCommand command;
        command.contents.push_back(fileWith(content));
        command.dryRun = dryRun;
        const std::string id = engine->upload(std::move(command));
        settle();
        runUntil(clock.now());
        return id;
    }

    const std::string& state(const std::string& id) const { return view(id).state; }
    const UploadView& uploaded(const std::string& id) const { return views->uploads().at(id); }

    const hal::Pkey rootKey{EVP_EC_gen("P-256")};
    hal::X509Ptr root;
};

using Ids = std::vector<std::string>;

TEST_F(UploadsTest, AWildcardServesEveryCertificateThatItCoversAndNoOther) {
    startEngine();
    const std::string job = upload(chainFor("*.example.com", start - day, start + 90 * day));
    EXPECT_EQ(this->job(job).state, "done") << this->job(job).error;
    EXPECT_EQ(state("gw.example.com"), "uploaded");
    EXPECT_EQ(state("app.example.com"), "uploaded");
    EXPECT_EQ(state("example.org"), "acme");
    EXPECT_EQ(view("gw.example.com").proof, "proved") << views->services().at("web").deployments.at(0).reason;
    EXPECT_EQ(uploaded("1").certificates, (Ids{"app.example.com", "gw.example.com"}));
    EXPECT_EQ(uploaded("1").serves, (Ids{"app.example.com", "gw.example.com"}));
    EXPECT_EQ(uploaded("1").names, Ids{"*.example.com"});
}

TEST_F(UploadsTest, ABetterOneReplacesItAndOnlyThenCanTheOldOneBeDeleted) {
    startEngine();
    upload(chainFor("gw.example.com", start - 2 * day, start + 90 * day));
    EXPECT_EQ(job(engine->removeUpload("1")).kind, "delete");
    settle();
    EXPECT_TRUE(views->uploads().contains("1")) << "it serves";
    const std::int64_t first = view("gw.example.com").generation;
    upload(chainFor("gw.example.com", start - day, start + 30 * day));
    EXPECT_GT(view("gw.example.com").generation, first) << "issued later, though it ends earlier";
    EXPECT_EQ(uploaded("1").serves, Ids{});
    EXPECT_EQ(uploaded("2").serves, Ids{"gw.example.com"});

    const std::size_t keysBefore = keys.list().size();
    const std::string removal = engine->removeUpload("1");
    settle();
    EXPECT_EQ(job(removal).state, "done") << job(removal).error;
    EXPECT_FALSE(views->uploads().contains("1"));
    EXPECT_EQ(keys.list().size(), keysBefore - 1);
    EXPECT_THROW(engine->removeUpload("1"), Error);
}

TEST_F(UploadsTest, TheSameTwiceIsKeptOnce) {
    startEngine();
    const std::string content = chainFor("gw.example.com", start - day, start + 90 * day);
    upload(content);
    const std::int64_t generation = view("gw.example.com").generation;
    const std::size_t keysBefore = keys.list().size();
    EXPECT_EQ(job(upload(content)).state, "done");
    EXPECT_EQ(view("gw.example.com").generation, generation);
    EXPECT_EQ(views->uploads().size(), 1U);
    EXPECT_EQ(keys.list().size(), keysBefore);
}

TEST_F(UploadsTest, OnItsLastDayTheCaIsAskedAndTakesOver) {
    startEngine();
    upload(chainFor("gw.example.com", start - day, start + 90 * day));
    runUntil(start + 88 * day);
    EXPECT_EQ(state("gw.example.com"), "uploaded");
    runUntil(start + 89 * day + hours(1));
    EXPECT_EQ(state("gw.example.com"), "acme") << "without a local one in between";
    EXPECT_EQ(view("gw.example.com").proof, "proved");
    EXPECT_EQ(uploaded("1").serves, Ids{});
}

TEST_F(UploadsTest, WithoutACaALocalOneFollowsBeforeTheEnd) {
    settings.cas.clear();
    startEngine();
    upload(chainFor("gw.example.com", start - day, start + 90 * day));
    runUntil(start + 90 * day - hours(2));
    EXPECT_EQ(state("gw.example.com"), "uploaded");
    runUntil(start + 90 * day - std::chrono::minutes(59));
    EXPECT_EQ(state("gw.example.com"), "local");
}

TEST_F(UploadsTest, ACertificateThatIsWantedLaterFindsTheUpload) {
    startEngine();
    upload(chainFor("*.example.com", start - day, start + 90 * day));
    engine->request({{"new.example.com"}, "", "", false});
    settle();
    runUntil(clock.now());
    EXPECT_EQ(state("new.example.com"), "uploaded");
    EXPECT_EQ(uploaded("1").certificates.size(), 3U);
}

TEST_F(UploadsTest, ADryRunAndARefusalChangeNothing) {
    startEngine();
    const std::size_t keysBefore = keys.list().size();
    const std::string good = chainFor("gw.example.com", start - day, start + 90 * day);
    const std::string dry = upload(good, true);
    EXPECT_EQ(job(dry).result, "all checks passed; serves gw.example.com");
    const std::string expired = upload(chainFor("gw.example.com", start - 9 * day, start - day));
    EXPECT_EQ(job(expired).errorCode, "expired");
    EXPECT_EQ(job(upload(chainFor("gw.example.com", start - 9 * day, start - day), true)).error,
              job(expired).error)
        << "the dry run says the same";
    EXPECT_EQ(job(upload(std::string(300'000, 'x'))).errorCode, "too-large");
    EXPECT_EQ(state("gw.example.com"), "acme");
    EXPECT_EQ(views->uploads().size(), 0U);
    EXPECT_EQ(keys.list().size(), keysBefore);
}

}  // namespace
}  // namespace certmgr::engine
