#include <gtest/gtest.h>

#include "certmgr/config/settings.h"
#include "tests/support/child_process.h"

namespace certmgr::config {
namespace {

constexpr const char* plain = "names = [\"a.example\"]\nunit = \"nginx.service\"\nusers = [\"www-data\"]\n";

class Profiles : public testing::Test {
  protected:
    Profiles() { settings_.serviceDirectories = {folder_ / "vendor", folder_ / "absent", folder_ / "admin"}; }

    void write(const std::string& name, const std::string& content) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        testing_support::writeFile(folder_ / name, content);
    }
    std::vector<ServiceProfile> load() const { return loadProfiles(settings_); }
    std::string refusal() const {
        try {
            load();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "bad-config");
            return std::string(error.what()).substr(folder_.path().string().size() + 1);
        }
        return "accepted";
    }
    std::string refusalOf(const std::string& content) const {
        write("vendor/web.toml", content);
        return refusal();
    }

    testing_support::TemporaryDirectory folder_;
    Settings settings_;
};

TEST_F(Profiles, areReadWhole) {
    write("vendor/web.toml", R"(
description = "Web interface"
names = ["b.example", "A.example"]
users = ["www-data", "mail"]
unit = "nginx.service"
check_command = ["nginx", "-t"]
reload_command = ["nginx", "-s", "reload"]
timeout_seconds = 7
[[certificate]]
names = ["d.example", "c.example"]
key_algorithm = "rsa-2048"
key_policy = "file"
acme = false
[probe]
kind = "imap"
address = "::1"
port = 8443
timeout_seconds = 3
)");
    settings_.keyAlgorithm = hal::KeyAlgorithm::ecP384;
    settings_.keyPolicy = hal::KeyPolicy::sealed;
    ASSERT_EQ(load().size(), 1u);
    const ServiceProfile profile = load()[0];
    EXPECT_EQ(profile.name + profile.description, "webWeb interface");
    EXPECT_EQ(profile.handle.unit, "nginx.service");
    EXPECT_EQ(profile.handle.checkCommand, (std::vector<std::string>{"nginx", "-t"}));
    EXPECT_EQ(profile.handle.reloadCommand.size(), 3u);
    EXPECT_EQ(profile.handle.timeout, seconds(7));
    ASSERT_EQ(profile.probes.size(), 1u);
    EXPECT_EQ(profile.probes[0].kind, ProbeKind::imap);
    EXPECT_EQ(profile.probes.front().address, "::1");
    EXPECT_EQ(profile.probes.front().port, 8443);
    EXPECT_EQ(profile.probes.front().timeout, seconds(3));
    ASSERT_EQ(profile.certificates.size(), 3u);
    EXPECT_EQ(profile.certificates[1].id, "a.example");
    EXPECT_EQ(profile.certificates[1].keyAlgorithm, hal::KeyAlgorithm::ecP384);
    EXPECT_EQ(profile.certificates[1].keyPolicy, hal::KeyPolicy::sealed);
    EXPECT_TRUE(profile.certificates[1].acme);
    const CertificateSpec& own = profile.certificates[2];
    EXPECT_EQ(own.names, parseIdentifiers({"c.example", "d.example"}));
    EXPECT_EQ(own.id, certificateIdFor(own.names));
    EXPECT_EQ(own.keyAlgorithm, hal::KeyAlgorithm::rsa2048);
    EXPECT_EQ(own.keyPolicy, hal::KeyPolicy::file);
    EXPECT_FALSE(own.acme);
    EXPECT_EQ(own.users, (std::vector<std::string>{"www-data", "mail"}));
}

TEST_F(Profiles, ofTheAdministratorReplaceThoseOfTheVendor) {
    write("vendor/b.toml", plain);
    write("vendor/a.toml", plain);
    write("vendor/README", "no profile");
    write("admin/b.toml", "unit = \"other.service\"\n");
    const auto profiles = load();
    ASSERT_EQ(profiles.size(), 2u);
    EXPECT_EQ(profiles[0].name, "a");
    EXPECT_EQ(profiles[1].handle.unit, "other.service");
    EXPECT_TRUE(profiles[1].certificates.empty());
}

TEST_F(Profiles, areSwitchedOffByAnEmptyFileOrALink) {
    write("vendor/a.toml", plain);
    write("vendor/b.toml", plain);
    write("admin/a.toml", "");
    std::filesystem::create_symlink("/dev/null", folder_ / "admin/b.toml");
    EXPECT_TRUE(load().empty());
}

TEST_F(Profiles, takeDropInsKeyByKeyInTheOrderOfTheirNames) {
    write("vendor/web.toml", std::string(plain) + "[probe]\nport = 1\naddress = \"127.0.0.2\"\n");
    write("admin/web.toml.d/20.conf", "names = [\"z.example\"]\n[probe]\nport = 3\n");
    write("vendor/web.toml.d/30.conf", "description = \"thirty\"\n");
    write("vendor/web.toml.d/10.conf", "[probe]\nport = 2\n");
    write("vendor/web.toml.d/40.conf", "description = \"masked\"\n");
    write("admin/web.toml.d/40.conf", "");
    write("admin/web.toml.d/README", "no drop-in");
    const ServiceProfile profile = load().at(0);
    EXPECT_EQ(profile.certificates.at(0).id, "z.example");
    EXPECT_EQ(profile.certificates.size(), 1u);
    EXPECT_EQ(profile.probes.front().port, 3);
    EXPECT_EQ(profile.probes.front().address, "127.0.0.2");
    EXPECT_EQ(profile.description, "thirty");
    EXPECT_EQ(profile.handle.unit, "nginx.service");
}

TEST_F(Profiles, errorsOfADropInNameIt) {
    write("vendor/web.toml", plain);
    write("admin/web.toml.d/x.conf", "\n[probe]\nport = \"443\"\n");
    EXPECT_EQ(refusal().find("admin/web.toml.d/x.conf:3:8: port: found a value of type string"), 0u)
        << refusal();
    write("admin/web.toml.d/x.conf", "\nprobes = 1\n");
    EXPECT_EQ(refusal().find("admin/web.toml.d/x.conf:2:1: found the unknown key"), 0u) << refusal();
}

TEST_F(Profiles, thatAreWrongAreToldWithLineAndColumn) {
    const std::pair<const char*, const char*> cases[] = {
        {"name = [\"a\"]", "vendor/web.toml:1:1: found the unknown key \"name\"; did you mean \"names\"?"},
        {"names = \"a\"",
         "vendor/web.toml:1:9: names: found a value of type string, expected a list of strings"},
        {"names = [\"a b\"]", "vendor/web.toml:1:9: names: the name \"a?b\" contains"},
        {"names = [\"b\xc3\xbc"
         "cher.example\"]",
         "xn--"},
        {"names = [\"a\", \"A.\"]", "a second time"},
        {"[[certificate]]\nacme = true", "vendor/web.toml:1:1: names: there is no name"},
        {"[[certificate]]\nnames = [\"a\"]\nkey_policy = \"x\"",
         "vendor/web.toml:3:14: key_policy: found \"x\""},
        {"[[certificate]]\nnames = [\"a\"]\nkey-policy = \"tpm\"", "did you mean \"key_policy\"?"},
        {"unit = \"nginx\"", "expected the name of a systemd unit"},
        {"description = \"x\"", "neither unit nor reload_command"},
        {"unit = \"a.service\"\nreload = false", "leave out one or the other"},
        {"unit = \"a.service\"\ntimeout_seconds = 0", "from 1 to 3600"},
        {"unit = \"a.service\"\n[probe]\nport = 70000", "vendor/web.toml:3:8: port: found 70000"},
        {"unit = \"a.service\"\n[probe]\naddress = \"localhost\"", "expected a numeric"},
        {"unit = \"a.service\"\n[probe]\nkind = \"gopher\"", "expected one of \"https\", \"tls\""},
        {"unit = \"a.service\"\n[[probe]]\nkind = \"imap\"\nsite = \"a:1\"",
         "vendor/web.toml:4:1: found the unknown key"},
        {"unit = \"a.service\"\n[probe]\nkind = \"https-proxy\"\nsite = \"a\"", "as \"www.example:443\""},
        {"unit = \"a.service\"\n[probe]\nkind = \"command\"", "command: found none"},
        {"unit = \"a.service\"\nkey = \"tpm\"",
         "vendor/web.toml:2:7: key: found \"tpm\", expected one of \"reference\""},
        {"unit = \"a.service\"\nformat = \"der\"", "expected one of \"split\""},
        {"unit = \"a.service\"\nkey = \"file\"\n[[certificate]]\nnames = [\"a\"]\nkey_policy = \"tpm\"",
         "key_policy: found \"tpm\", expected \"file\""},
        {"unit = \"a.service\"\n[install]\nmode = \"0644\"", "vendor/web.toml:3:8: mode: found \"0644\""},
        {"unit = \"a.service\"\n[install]\nmode = \"rw\"", "octal rights"},
        {"unit = \"a.service\"\nusage = \"ca\"", "expected one of \"server\", \"inspection-ca\""},
        {"unit = \"a.service\"\nusage = \"inspection-ca\"\nnames = [\"a\"]",
         "found https 127.0.0.1:443 to prove a, which is to be of the usage \"inspection-ca\""},
        {"unit = \"a.service\"\nnames = [\"a\"]\n[probe]\nkind = \"https-proxy\"\nsite = \"b:443\"",
         "which is to be of the usage \"server\""},
        {"unit = \"a.service\"\n[probe]\nkind = \"https-proxy\"\nsite = \"b c:443\"", "found \"b c:443\""},
        {"unit = \"a.service\"\nreload_window = \"2-4\"",
         "vendor/web.toml:2:17: reload_window: found \"2-4\""},
        {"key = \"file\"\n[install]\nowner = \"x\"", "nor a command in [install]"},
    };
    for (const auto& [content, expected] : cases)
        EXPECT_NE(refusalOf(content).find(expected), std::string::npos) << content << "\n"
                                                                        << refusalOf(content);
}

TEST_F(Profiles, haveNamesThatCanStandInAPath) {
    write("vendor/We b.toml", plain);
    EXPECT_NE(refusal().find("rename it"), std::string::npos);
}

TEST_F(Profiles, ofTheVendorAreRight) {
    settings_.serviceDirectories = {CERTMGR_ROOTFS "/usr/lib/certmgr/services.d"};
    const auto profiles = load();
    EXPECT_GE(profiles.size(), 4u);
    for (const ServiceProfile& profile : profiles) {
        EXPECT_TRUE(profile.certificates.empty()) << profile.name << " names what only the box can know";
        EXPECT_NE(profile.description, profile.name) << "people want words";
    }
}

TEST_F(Profiles, sayWhatTheServiceCanLoad) {
    write("vendor/a.toml", R"(
names = ["a.example"]
key = "file"
format = "combined"
key_algorithm = "rsa-2048"
[install]
group = "ssl-cert"
mode = "0640"
command = ["load", "{directory}"]
)");
    const ServiceProfile profile = load()[0];
    EXPECT_EQ(profile.keyForm, KeyForm::file);
    EXPECT_EQ(profile.format, FileFormat::combined);
    ASSERT_TRUE(profile.installation);
    EXPECT_EQ(profile.installation->owner + ":" + profile.installation->group, "root:ssl-cert");
    EXPECT_EQ(profile.installation->mode, 0640u);
    EXPECT_EQ(profile.installation->command, (std::vector<std::string>{"load", "{directory}"}));
    EXPECT_EQ(profile.handle.installUnit, "certmgr-install@a.service");
    EXPECT_EQ(profile.certificates[0].keyPolicy, hal::KeyPolicy::file) << "a TPM key cannot be read";
    EXPECT_EQ(profile.certificates[0].keyAlgorithm, hal::KeyAlgorithm::rsa2048);
}

TEST_F(Profiles, nameProbesOneByOneOrOnlyOneOrNone) {
    write("vendor/a.toml",
          std::string(plain) + "[[probe]]\nkind = \"smtp\"\nport = 25\n[[probe]]\nkind = \"tls\"\n");
    write("vendor/b.toml", std::string(plain) + "[probe]\nkind = \"none\"\n");
    write("vendor/c.toml", std::string(plain) +
                               "usage = \"inspection-ca\"\n[probe]\nkind = \"https-proxy\"\nport = "
                               "3128\nsite = \"www.example:443\"\n");
    const auto profiles = load();
    ASSERT_EQ(profiles[0].probes.size(), 2u);
    EXPECT_EQ(describe(profiles[0].probes[0]), "smtp 127.0.0.1:25");
    EXPECT_EQ(describe(profiles[0].probes[1]), "tls 127.0.0.1:443");
    EXPECT_TRUE(profiles[1].probes.empty());
    EXPECT_EQ(profiles[2].certificates.at(0).usage, Usage::inspectionCa);
    EXPECT_EQ(describe(profiles[2].probes.at(0)), "https-proxy 127.0.0.1:3128 to www.example:443");
}

TEST_F(Profiles, whoWantTheSameNamesShareOneCertificate) {
    write("vendor/a.toml", plain);
    write(
        "vendor/b.toml",
        "names = [\"A.example\", \"b.example\"]\nunit = \"b.service\"\nusers = [\"proxy\", \"www-data\"]\n");
    const auto specs = mergeSpecs(load());
    ASSERT_EQ(specs.size(), 2u);
    EXPECT_EQ(specs[0].id, "a.example");
    EXPECT_EQ(specs[0].users, (std::vector<std::string>{"proxy", "www-data"}));
    EXPECT_EQ(specs[1].id, "b.example");
}

TEST_F(Profiles, whoReadsTheKeyDecidesForThoseWhoPreferATpm) {
    write("vendor/a.toml", plain);
    write("vendor/b.toml", std::string(plain) + "key = \"file\"\n");
    const auto specs = mergeSpecs(load());
    ASSERT_EQ(specs.size(), 1u);
    EXPECT_EQ(specs[0].keyPolicy, hal::KeyPolicy::file);
}

TEST_F(Profiles, whoWantAnInspectionCaShareItWithNoServer) {
    write("vendor/a.toml", plain);
    write("vendor/b.toml", std::string(plain) + "usage = \"inspection-ca\"\n[probe]\nkind = \"none\"\n");
    const auto profiles = load();
    try {
        mergeSpecs(profiles);
        ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("with different usage"), std::string::npos) << error.what();
    }
}

TEST_F(Profiles, nameTheProfileOfTheCa) {
    write("vendor/a.toml", std::string(plain) + R"(
acme_profile = "tlsserver"
acme_profile_required = true
[[certificate]]
names = ["b.example"]
[[certificate]]
names = ["192.0.2.1"]
acme_profile = "shortlived"
)");
    const auto certificates = load()[0].certificates;
    EXPECT_EQ(certificates[0].acmeProfile, (AcmeProfile{"tlsserver", true}));
    EXPECT_EQ(certificates[1].acmeProfile, (AcmeProfile{"tlsserver", true}));
    EXPECT_EQ(certificates[2].acmeProfile, (AcmeProfile{"shortlived", false})) << "taken the place of whole";
    EXPECT_NE(refusalOf(std::string(plain) + "acme_profile = \"short lived\"").find("expected the name"),
              std::string::npos);
    EXPECT_NE(refusalOf(std::string(plain) + "acme_profile_required = true").find("without acme_profile"),
              std::string::npos);
}

TEST_F(Profiles, nameTheChainThatTheyPrefer) {
    write("vendor/a.toml", std::string(plain) + "preferred_chain = \"ISRG Root X1\"\n[[certificate]]\n" +
                               "names = [\"b.example\"]\npreferred_chain = \"" + std::string(64, 'A') +
                               "\"\n");
    const auto certificates = load()[0].certificates;
    EXPECT_EQ(certificates[0].preferredChain, "ISRG Root X1");
    EXPECT_EQ(certificates[1].preferredChain, std::string(64, 'a'));
    EXPECT_NE(refusalOf(std::string(plain) + "preferred_chain = \"\"").find("expected the common name"),
              std::string::npos);
}

TEST_F(Profiles, sayWhenAServiceMayBeReloaded) {
    write("vendor/a.toml", std::string(plain) + "reload_window = \"22:30-04:00\"\n");
    write("vendor/b.toml", plain);
    const auto profiles = load();
    EXPECT_EQ(profiles[0].reloadWindow, reloadWindowFrom("22:30-04:00"));
    EXPECT_EQ(profiles[1].reloadWindow, std::nullopt);
}

TEST_F(Profiles, whoContradictEachOtherAreBothNamed) {
    write("vendor/a.toml", plain);
    for (const char* difference : {"key_policy = \"tpm\"", "key_algorithm = \"rsa-2048\"", "acme = false",
                                   "acme_profile = \"shortlived\"", "preferred_chain = \"ISRG Root X1\""}) {
        write("vendor/b.toml",
              std::string("unit = \"b.service\"\n[[certificate]]\nnames = [\"a.example\"]\n") + difference);
        const auto profiles = load();
        try {
            mergeSpecs(profiles);
            ADD_FAILURE() << difference;
        } catch (const Error& error) {
            const std::string key = std::string(difference).substr(0, std::string(difference).find(' '));
            EXPECT_EQ(std::string(error.what()),
                      "a.toml and b.toml both ask for a.example, which they share, with different " + key +
                          "; say the same in both");
        }
    }
}

}  // namespace
}  // namespace certmgr::config
