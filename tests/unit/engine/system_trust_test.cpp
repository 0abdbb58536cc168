// What the box trusts: Debian's own bundle, and what may be wrong with one.
#include <algorithm>
#include <cctype>

#include <sys/stat.h>

#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using testing_support::run;

constexpr const char* debianBundle = "/etc/ssl/certs/ca-certificates.crt";

class SystemTrustTest : public EngineTest {
  protected:
    SystemTrustTest() {
        settings.cas.clear();
        settings.systemTrustFile = folder / "bundle.pem";
    }

    void trust(const std::string& pem) const { testing_support::writeFile(settings.systemTrustFile, pem); }

    static std::string debian() {
        const std::string pem = testing_support::readFile(debianBundle);
        EXPECT_NE(pem, "") << "the package ca-certificates is missing";
        return pem;
    }
    // Another reader of the same format: one "subject=" line for each certificate.
    std::size_t countByOpenssl() const {
        const std::string listed =
            run({"sh", "-c", "openssl crl2pkcs7 -nocrl -certfile \"$0\" | openssl pkcs7 -print_certs -noout",
                 settings.systemTrustFile})
                .output;
        std::size_t count = 0;
        for (std::size_t at = 0; (at = listed.find("subject=", at)) != std::string::npos; ++at) ++count;
        return count;
    }
    std::string fingerprintByOpenssl() const {
        std::string line =
            run({"openssl", "x509", "-in", settings.systemTrustFile, "-noout", "-fingerprint", "-sha256"})
                .output;
        line.erase(0, line.find('=') + 1);
        std::erase_if(line, [](char c) { return c == ':' || c == '\n'; });
        std::ranges::transform(line, line.begin(), [](unsigned char c) { return std::tolower(c); });
        return line;
    }

    SystemTrust asked() {
        SystemTrust answer;
        engine->systemTrust([&answer](const SystemTrust& found) { answer = found; });
        settle();
        return answer;
    }
    static std::size_t ownOnes(const SystemTrust& trust) {
        return static_cast<std::size_t>(std::ranges::count(trust.anchors, true, &TrustAnchor::own));
    }
    // What is said of the file, without its name.
    std::string refusal() const {
        try {
            readSystemTrust(settings.systemTrustFile, "", start);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "bad-trust-store");
            const std::string said = error.what();
            const std::string file = settings.systemTrustFile;
            EXPECT_NE(said.find(file), std::string::npos) << said;
            return said.substr(std::min(said.size(), said.find(file) + file.size()));
        }
        return "accepted";
    }
};

TEST_F(SystemTrustTest, ListsTheBundleOfDebianAsOpensslReadsIt) {
    startEngine();
    trust(debian());
    const SystemTrust found = asked();
    ASSERT_FALSE(found.failure) << found.failure->what();
    EXPECT_GT(found.anchors.size(), 100U);
    EXPECT_EQ(found.anchors.size(), countByOpenssl());
    EXPECT_EQ(found.anchors.front().summary.sha256, fingerprintByOpenssl());
    EXPECT_EQ(ownOnes(found), 0U);
}

TEST_F(SystemTrustTest, KnowsTheRootsOfTheBoxBothWhileOneFollowsTheOther) {
    startEngine();
    const std::string before = engine->trustPem();
    trust(debian() + before);
    EXPECT_EQ(ownOnes(asked()), 1U);
    EXPECT_TRUE(asked().anchors.back().own);

    engine->reissueAuthority();
    settle();
    ASSERT_NE(engine->trustPem(), before);
    trust(debian() + engine->trustPem());
    EXPECT_EQ(ownOnes(asked()), 2U);
}

TEST_F(SystemTrustTest, AnswersAllWhoWaitByOneReadingAndNoMoreThanItsShare) {
    startEngine();
    trust(engine->trustPem());
    int answers = 0;
    for (int i = 0; i < 64; ++i)
        engine->systemTrust([&](const SystemTrust& found) { answers += found.anchors.size() == 1; });
    EXPECT_THROW(engine->systemTrust([](const SystemTrust&) {}), Error);
    settle();
    EXPECT_EQ(answers, 64);
    EXPECT_EQ(asked().anchors.size(), 1U);
}

TEST_F(SystemTrustTest, SaysWhatHasExpiredWhereTheClockIsTrusted) {
    startEngine();
    trust(engine->trustPem());
    const TimePoint end = asked().anchors.front().summary.notAfter;
    EXPECT_FALSE(readSystemTrust(settings.systemTrustFile, "", end).front().expired);
    EXPECT_TRUE(readSystemTrust(settings.systemTrustFile, "", end + seconds(1)).front().expired);
    EXPECT_FALSE(readSystemTrust(settings.systemTrustFile, "", std::nullopt).front().expired);
}

TEST_F(SystemTrustTest, TellsWhoAskedWhatIsWrongWithTheFile) {
    startEngine();
    const SystemTrust found = asked();
    ASSERT_TRUE(found.failure);
    EXPECT_EQ(found.failure->code(), "bad-trust-store");
    EXPECT_NE(std::string(found.failure->what()).find("bundle.pem, cannot be read (No such file"),
              std::string::npos)
        << found.failure->what();
}

TEST_F(SystemTrustTest, AnEmptyStoreIsNoError) {
    trust("");
    EXPECT_EQ(refusal(), "accepted");
}

TEST_F(SystemTrustTest, RefusesWhatIsNotWhole) {
    startEngine();
    const std::string pem = engine->trustPem();
    const auto broken = [&](std::size_t at, std::size_t count, const std::string& with) {
        return std::string(pem).replace(at, count, with);
    };
    const std::pair<std::string, const char*> cases[] = {
        {"hello", "has no certificate in it"},
        {pem + pem.substr(0, pem.size() / 2), "is damaged at block 2"},
        {pem + broken(60, 4, "!!!!"), "is damaged at block 2"},
        {pem + broken(0, 5, ""), "is damaged at block 2"},
        {pem + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is damaged at block 2"},
        {std::string(largestSystemTrust + 1, '\n'), "is too large: expected at most 2 MiB"},
    };
    for (const auto& [content, sentence] : cases) {
        trust(content);
        EXPECT_NE(refusal().find(sentence), std::string::npos) << refusal();
    }
    std::string many;
    for (std::size_t i = 0; i <= mostTrustAnchors; ++i) many += pem;
    trust(many);
    EXPECT_NE(refusal().find("expected at most 1000"), std::string::npos) << refusal();
}

TEST_F(SystemTrustTest, RefusesWhatIsNoFile) {
    ASSERT_EQ(::mkfifo(settings.systemTrustFile.c_str(), 0600), 0);
    EXPECT_NE(refusal().find("is not a regular file"), std::string::npos);
    std::filesystem::remove(settings.systemTrustFile);
    std::filesystem::create_directory(settings.systemTrustFile);
    EXPECT_NE(refusal().find("is not a regular file"), std::string::npos);
}

}  // namespace
}  // namespace certmgr::engine
