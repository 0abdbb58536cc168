#include "certmgr/config/settings.h"

#include <regex>

#include <gtest/gtest.h>

#include "tests/support/child_process.h"

namespace certmgr::config {
namespace {

using std::chrono::hours;

class SettingsFile : public testing::Test {
  protected:
    Settings load(const std::string& content) const {
        testing_support::writeFile(file_, content);
        return loadSettings(file_);
    }
    // What is said of the content, without the folder.
    std::string refusal(const std::string& content) const {
        try {
            load(content);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "bad-config");
            EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
            return std::string(error.what()).substr(folder_.path().string().size() + 1);
        }
        return "accepted";
    }

    testing_support::TemporaryDirectory folder_;
    std::filesystem::path file_ = folder_ / "certmgr.toml";
};

const std::string shippedCas = "[acme]\nca_directories = [\"" CERTMGR_ROOTFS "/usr/lib/certmgr/ca.d\"]\n";

TEST_F(SettingsFile, aKnownCaNeedsItsNameOnly) {
    const acme::CaSettings ca =
        load(shippedCas + "[[acme.ca]]\nname = \"letsencrypt-staging\"\nterms_agreed = true").cas.at(0);
    EXPECT_EQ(ca.directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
    EXPECT_EQ(ca.caaIdentities, std::vector<std::string>{"letsencrypt.org"});
    EXPECT_EQ(ca.addressProfile.name, "shortlived");
    EXPECT_TRUE(ca.forTests);
    EXPECT_TRUE(ca.termsAgreed);
    const acme::CaSettings changed = load(shippedCas +
                                          "[[acme.ca]]\nname = \"letsencrypt\"\ndirectory = "
                                          "\"https://relay.example/dir\"")
                                         .cas.at(0);
    EXPECT_EQ(changed.directory, "https://relay.example/dir");
    EXPECT_FALSE(changed.forTests);
}

TEST_F(SettingsFile, aCaHasItsOwnPatience) {
    const std::string ca = shippedCas + "[[acme.ca]]\nname = \"letsencrypt\"\n";
    EXPECT_EQ(load(ca).cas.at(0).patience, std::chrono::minutes(15));
    const Settings settings = load(ca + "timeout_seconds = 5\nwait_seconds = 28800");
    for (const acme::CaSettings& each : {settings.cas.at(0), settings.trialCas.at(0)}) {
        EXPECT_EQ(each.answerLimit, std::chrono::seconds(5));
        EXPECT_EQ(each.patience, hours(8));
    }
    EXPECT_NE(refusal(ca + "wait_seconds = 0").find("wait_seconds"), std::string::npos);
}

TEST_F(SettingsFile, aCaHasOneForTestsBesideIt) {
    const Settings settings = load(
        shippedCas + "[[acme.ca]]\nname = \"letsencrypt\"\nterms_agreed = true\ncontacts = [\"mailto:a@x\"]");
    EXPECT_EQ(settings.cas.at(0).staging, "letsencrypt-staging");
    ASSERT_EQ(settings.trialCas.size(), 1U);
    EXPECT_TRUE(settings.trialCas[0].forTests && settings.trialCas[0].termsAgreed);
    EXPECT_EQ(settings.trialCas[0].contacts, settings.cas[0].contacts);
    EXPECT_TRUE(load(shippedCas + "[[acme.ca]]\nname = \"letsencrypt\"\nstaging = \"\"").trialCas.empty());
    EXPECT_NE(refusal(shippedCas + "[[acme.ca]]\nname = \"letsencrypt\"\nstaging = \"zerossl\"")
                  .find("staging: found \"zerossl\", expected a known CA"),
              std::string::npos);
}

TEST_F(SettingsFile, aCaThatIsNotKnownNeedsADirectoryAndTheErrorListsTheKnownOnes) {
    EXPECT_EQ(
        refusal(shippedCas + "[[acme.ca]]\nname = \"letsencript\""),
        "certmgr.toml:4:8: name: found \"letsencript\" without a directory, expected the URL of its "
        "directory, or one of google, google-staging, letsencrypt, letsencrypt-staging, sslcom, zerossl");
}

TEST_F(SettingsFile, aCaOfCustomersIsRefusedWithoutTheKeyOfOne) {
    const std::string said = refusal(shippedCas + "[[acme.ca]]\nname = \"zerossl\"\nterms_agreed = true");
    EXPECT_NE(said.find("expected eab_key_id and eab_key_file"), std::string::npos) << said;
    EXPECT_NE(said.find("https://zerossl.com/documentation/acme/"), std::string::npos) << said;
}

TEST_F(SettingsFile, aFileOfALaterDirectoryReplacesWhatIsKnownAndAWrongOneIsNamed) {
    std::filesystem::create_directory(folder_ / "ca.d");
    const std::string own = "[acme]\nca_directories = [\"" CERTMGR_ROOTFS "/usr/lib/certmgr/ca.d\", \"" +
                            (folder_ / "ca.d").string() + "\"]\n[[acme.ca]]\nname = \"zerossl\"";
    testing_support::writeFile(folder_ / "ca.d/zerossl.toml", "directory = \"https://own.example/dir\"");
    EXPECT_EQ(load(own).cas.at(0).directory, "https://own.example/dir");
    testing_support::writeFile(folder_ / "ca.d/zerossl.toml", "directory = \"http://own.example/dir\"");
    EXPECT_TRUE(refusal(own).starts_with("ca.d/zerossl.toml:1:13: directory: found")) << refusal(own);
}

TEST_F(SettingsFile, bindsAnAccountByAKeyInAFileThatOthersCannotRead) {
    const std::string ca = "[[acme.ca]]\nname = \"a\"\ndirectory = \"https://x\"\n";
    const std::filesystem::path key = folder_ / "eab";
    testing_support::writeFile(key, "c2VjcmV0\n");
    const std::string file = "eab_key_file = \"" + key.string() + "\"\n";
    std::filesystem::permissions(key, std::filesystem::perms(0600));
    const Settings settings = load(ca + "eab_key_id = \"kid-1\"\n" + file);
    EXPECT_EQ(settings.cas.at(0).externalKeyId, "kid-1");
    EXPECT_EQ(settings.cas.at(0).externalKeyFile, key);
    EXPECT_NE(refusal(ca + file).find("expected both"), std::string::npos);
    EXPECT_NE(refusal(ca + "eab_key_id = \"kid-1\"").find("expected both"), std::string::npos);
    std::filesystem::permissions(key, std::filesystem::perms(0644));
    EXPECT_NE(refusal(ca + "eab_key_id = \"kid-1\"\n" + file).find("found mode 0644"), std::string::npos);
}

TEST_F(SettingsFile, thatIsMissingOrEmptyMeansTheDefaults) {
    EXPECT_EQ(loadSettings(folder_ / "absent.toml").stateDirectory, "/var/lib/certmgr");
    const Settings settings = load("");
    EXPECT_EQ(settings.workers, 16);
    EXPECT_TRUE(settings.acmeEnabled);
    EXPECT_TRUE(settings.cas.empty());
    EXPECT_EQ(settings.systemTrustFile, "/etc/ssl/certs/ca-certificates.crt");
    EXPECT_EQ(load("[trust]\nsystem_file = \"/etc/pki/tls/cert.pem\"").systemTrustFile,
              "/etc/pki/tls/cert.pem");
}

TEST_F(SettingsFile, isReadWhole) {
    const Settings settings = load(R"(
state_directory = "/srv/state"
challenge_directory = "/srv/challenges"
tls_challenge_directory = "/srv/tls"
[services]
directories = ["/a", "/b"]
[keys]
socket = "/run/k.sock"
provider = "/usr/lib/p.so"
algorithm = "rsa-2048"
policy = "file"
[authority]
organization = "Gateway 7"
root_key_algorithm = "rsa-3072"
issuing_key_algorithm = "ec-p384"
root_key_policy = "tpm"
issuing_key_policy = "sealed"
root_days = 1000
issuing_days = 500
leaf_days = 30
[acme]
enabled = false
public_names_only = false
challenge_port = 8080
tls_challenge_port = 8443
challenges = ["tls-alpn-01"]
[[acme.ca]]
name = "one"
directory = "https://one.example/dir"
trust_file = "/etc/one.pem"
contacts = ["mailto:a@example"]
terms_agreed = true
profile = "shortlived"
profile_required = true
preferred_chain = "ISRG Root X1"
[[acme.ca]]
name = "two"
directory = "https://two.example/dir"
profile = "classic"
[[acme.ca.limit]]
what = "certificates-per-set"
count = 5
window_seconds = 604800
reserve = 1
[[acme.ca.limit]]
what = "orders"
count = 300
window_seconds = 10800
renewals_exempt = true
[daemon]
workers = 3
require_time_sync = true
)");
    EXPECT_EQ(settings.stateDirectory, "/srv/state");
    EXPECT_EQ(settings.challengeDirectory, "/srv/challenges");
    EXPECT_EQ(settings.serviceDirectories, (std::vector<std::filesystem::path>{"/a", "/b"}));
    EXPECT_EQ(settings.keydSocket + settings.providerModule, "/run/k.sock/usr/lib/p.so");
    EXPECT_EQ(settings.keyAlgorithm, hal::KeyAlgorithm::rsa2048);
    EXPECT_EQ(settings.keyPolicy, hal::KeyPolicy::file);
    EXPECT_EQ(settings.authority.organization, "Gateway 7");
    EXPECT_EQ(settings.authority.rootKeyAlgorithm, hal::KeyAlgorithm::rsa3072);
    EXPECT_EQ(settings.authority.issuingKeyAlgorithm, hal::KeyAlgorithm::ecP384);
    EXPECT_EQ(settings.authority.rootKeyPolicy, hal::KeyPolicy::tpm);
    EXPECT_EQ(settings.authority.issuingKeyPolicy, hal::KeyPolicy::sealed);
    EXPECT_EQ(settings.authority.rootLifetime, hours(24 * 1000));
    EXPECT_EQ(settings.authority.issuingLifetime, hours(24 * 500));
    EXPECT_EQ(settings.authority.leafLifetime, hours(24 * 30));
    EXPECT_FALSE(settings.acmeEnabled || settings.publicNamesOnly);
    EXPECT_EQ(settings.challengePort, 8080);
    EXPECT_EQ(settings.tlsChallengePort, 8443);
    EXPECT_EQ(settings.tlsChallengeDirectory, "/srv/tls");
    EXPECT_EQ(settings.challenges, std::vector{ChallengeKind::tlsAlpn01});
    ASSERT_EQ(settings.cas.size(), 2u);
    EXPECT_EQ(settings.cas[0].name + settings.cas[0].trustFile + settings.cas[0].contacts.at(0),
              "one/etc/one.pemmailto:a@example");
    EXPECT_TRUE(settings.cas[0].termsAgreed);
    EXPECT_EQ(settings.cas[0].profile, (AcmeProfile{"shortlived", true}));
    EXPECT_EQ(settings.cas[0].preferredChain, "ISRG Root X1");
    EXPECT_EQ(settings.cas[1].directory, "https://two.example/dir");
    EXPECT_EQ(settings.cas[1].profile, (AcmeProfile{"classic", false}));
    EXPECT_EQ(settings.cas[1].limits,
              (std::vector<RateLimit>{{LimitKind::certificatesPerSet, 5, hours(24 * 7), 1},
                                      {LimitKind::orders, 300, hours(3), 0, true}}));
    EXPECT_EQ(settings.workers, 3);
    EXPECT_TRUE(settings.requireTimeSync);
}

TEST_F(SettingsFile, aLimitThatLeavesNothingOrIsSaidTwiceIsRefused) {
    const std::string ca = "[[acme.ca]]\nname=\"a\"\ndirectory=\"https://a\"\n";
    const std::string one = "[[acme.ca.limit]]\nwhat=\"orders\"\ncount=3\nwindow_seconds=9\n";
    EXPECT_EQ(load(ca + one).cas.at(0).limits.size(), 1U);
    for (const auto& [text, expected] :
         {std::pair(one + one, "9:6: what: found \"orders\" a second time"),
          {one + "reserve=3", "8:9: reserve"},
          {std::string("[[acme.ca.limit]]\nwhat=\"orders\"\ncount=3"), "window_seconds"},
          {std::string("[[acme.ca.limit]]\nwhat=\"patience\""), "5:6: what: found \"patience\""}})
        EXPECT_NE(refusal(ca + text).find(expected), std::string::npos) << refusal(ca + text);
}

TEST_F(SettingsFile, whatIsKnownOfACasLimitsIsReplacedOneByOne) {
    const Settings settings = load(shippedCas +
                                   "[[acme.ca]]\nname = \"letsencrypt\"\nterms_agreed = true\n"
                                   "[[acme.ca.limit]]\nwhat = \"orders\"\ncount = 3000\n"
                                   "window_seconds = 10800");
    const std::vector<RateLimit>& limits = settings.cas.at(0).limits;
    EXPECT_EQ(limits.size(), 5U);
    EXPECT_EQ(*limitOf(limits, LimitKind::orders), (RateLimit{LimitKind::orders, 3000, hours(3)}));
    EXPECT_EQ(*limitOf(limits, LimitKind::certificatesPerSet),
              (RateLimit{LimitKind::certificatesPerSet, 5, hours(24 * 7), 1}));
    EXPECT_EQ(limitOf(settings.trialCas.at(0).limits, LimitKind::orders)->count, 1500);
}

TEST_F(SettingsFile, thatIsWrongIsToldWithLineAndColumn) {
    const std::pair<const char*, const char*> cases[] = {
        {"a = [", "certmgr.toml:1:6: this is not TOML"},
        {"\nstat_directory = \"/x\"",
         "certmgr.toml:2:1: found the unknown key \"stat_directory\"; did you mean \"state_directory\"?"},
        {"[zebra]", "unknown key \"zebra\"; remove it"},
        {"[daemon]\nworker = 1",
         "certmgr.toml:2:1: found the unknown key \"worker\"; did you mean \"workers\"?"},
        {"state_directory = 7",
         "certmgr.toml:1:19: state_directory: found a value of type integer, expected a string"},
        {"state_directory = \"here\"", "expected an absolute path"},
        {"state_directory = \"/a\\nb\"", "control character"},
        {"daemon = 1",
         "certmgr.toml:1:10: daemon: found a value of type integer, expected a table, as [daemon]"},
        {"[daemon]\nworkers = 0",
         "certmgr.toml:2:11: workers: found 0, expected a whole number from 1 to 256"},
        {"[daemon]\nworkers = 2.5", "found a value of type floating-point"},
        {"[daemon]\nrequire_time_sync = \"yes\"", "expected true or false"},
        {"[keys]\npolicy = \"TPM\"", "found \"TPM\", expected one of \"tpm\", \"sealed\""},
        {"[keys]\nalgorithm = \"ed25519\"", "expected one of \"ec-p256\""},
        {"[services]\ndirectories = \"/a\"", "expected a list of strings"},
        {"[services]\ndirectories = [\"/a\", 7]", "certmgr.toml:2:22: directories: found integer"},
        {"[services]\ndirectories = [\"a\"]", "absolute"},
        {"[authority]\norganization = \"\"", "expected 1 to 64"},
        {"[trust]\nsystem_file = \"here\"",
         "certmgr.toml:2:15: system_file: found \"here\", expected an absolute path"},
        {"[trust]\nsystem = \"/a\"", "certmgr.toml:2:1: found the unknown key \"system\""},
        {"[authority]\nleaf_days = 826", "from 1 to 825"},
        {"[authority]\nroot_days = 10", "issuing CA would outlive its root"},
        {"[authority]\nissuing_days = 10", "leaf would outlive"},
        {"acme = { ca = { name = \"x\" } }", "expected tables, each as [[ca]]"},
        {"[[acme.ca]]\ndirectory = \"https://x\"", "certmgr.toml:1:1: name: found \"\""},
        {"[[acme.ca]]\nname = \"A B\"", "certmgr.toml:2:8: name: found \"A B\""},
        {"[[acme.ca]]\nname = \"a\"\ndirectory = \"http://x\"",
         "certmgr.toml:3:13: directory: found \"http://x\""},
        {"[[acme.ca]]\nname = \"a\"\ndirectory = \"https://x\"\ncontacts = [\"me\"]", "expected \"mailto:\""},
        {"[[acme.ca]]\nname=\"a\"\ndirectory=\"https://x\"\n[[acme.ca]]\nname=\"a\"\ndirectory=\"https://y\"",
         "certmgr.toml:5:6: name: found \"a\" a second time"},
    };
    for (const auto& [content, expected] : cases)
        EXPECT_NE(refusal(content).find(expected), std::string::npos) << content << "\n" << refusal(content);
}

TEST_F(SettingsFile, thatIsNoFileOfSettingsIsRefused) {
    EXPECT_NE(refusal(std::string(1024 * 1024 + 1, '#')).find("expected at most 1 MiB"), std::string::npos);
    EXPECT_EQ(refusal("#" + std::string(1024 * 1024 - 1, ' ')), "accepted");
    EXPECT_THROW(loadSettings(folder_.path()), Error);
    EXPECT_NE(refusal(std::string("a = \"\0\"", 7)).find("not TOML"), std::string::npos);
}

TEST_F(SettingsFile, saysHowNamesAreProvedByDns) {
    const std::string secret = folder_ / "secret";
    testing_support::writeFile(secret, "c2VjcmV0");
    std::filesystem::permissions(secret, std::filesystem::perms(0640));
    const std::string table =
        "[[dns]]\nzones = [\"GW.example\", \"b.example\"]\nkey = \"k\"\nsecret_file = \"" + secret +
        "\"\nserver = ";
    const Settings settings = load(table + R"("192.0.2.53"
servers = ["192.0.2.54:5353", "2001:db8::53", "[2001:db8::54]:5353"]
algorithm = "hmac-sha512"
wait_seconds = 9
[acme]
resolver = "127.0.0.1:54"
challenges = ["dns-01", "http-01"]
)");
    const acme::DnsSettings& dns = settings.dns.at(0);
    EXPECT_EQ(dns.zones, (std::vector<std::string>{"gw.example", "b.example"}));
    const auto& updates = std::get<acme::DnsUpdateSettings>(dns.means);
    EXPECT_EQ(updates.server, (net::DnsServer{"192.0.2.53", 53}));
    EXPECT_EQ(dns.servers, (std::vector<net::DnsServer>{
                               {"192.0.2.54", 5353}, {"2001:db8::53", 53}, {"2001:db8::54", 5353}}));
    EXPECT_EQ(updates.keyName + updates.algorithm + updates.secretFile.string(), "khmac-sha512" + secret);
    EXPECT_EQ(dns.patience, std::chrono::seconds(9));
    EXPECT_EQ(settings.resolver, (net::DnsServer{"127.0.0.1", 54}));
    EXPECT_EQ(settings.challenges, (std::vector{ChallengeKind::dns01, ChallengeKind::http01}));
    EXPECT_EQ(load(table + "\"192.0.2.53\"\n[acme]").challenges,
              (std::vector{ChallengeKind::http01, ChallengeKind::dns01}));
    EXPECT_EQ(load("").challenges, std::vector{ChallengeKind::http01});

    for (const char* const wrong : {"ns1.example", "192.0.2.53:0", "192.0.2.53:65536", "[192.0.2.53]:53",
                                    "[2001:db8::53]", "192.0.2.53:"})
        EXPECT_NE(refusal(table + "\"" + wrong + "\"").find("server: found \"" + std::string(wrong)),
                  std::string::npos)
            << wrong;
    const std::pair<std::string, const char*> cases[] = {
        {"[[dns]]\nzones = []", "zones: expected the names"},
        {"[[dns]]\nzones = [\"*.gw.example\"]", "zones: found \"*.gw.example\""},
        {"[[dns]]\nzones = [\"g w\"]", "zones: "},
        {table + "\"192.0.2.53\"\nalgorithm = \"hmac-md5\"", "algorithm: found \"hmac-md5\""},
        {"[acme]\nchallenges = [\"dns-01\"]", "challenges: found \"dns-01\" without a [[dns]]"},
        {"[acme]\nchallenges = [\"http-01\", \"http-01\"]", "each at most once"},
        {"[acme]\nchallenges = [\"dns\"]", "challenges: found \"dns\""},
    };
    EXPECT_EQ(load("[acme]\nchallenges = [\"dns-persist-01\"]").challenges,
              std::vector{ChallengeKind::dnsPersist01})
        << "nothing is written for it";
    for (const auto& [content, expected] : cases)
        EXPECT_NE(refusal(content).find(expected), std::string::npos) << content << "\n" << refusal(content);
    std::filesystem::permissions(secret, std::filesystem::perms(0644));
    EXPECT_NE(refusal(table + "\"192.0.2.53\"").find("found mode 0644"), std::string::npos);
    std::filesystem::remove(secret);
    EXPECT_NE(refusal(table + "\"192.0.2.53\"").find("No such file"), std::string::npos);
}

TEST_F(SettingsFile, saysWhichProgramChangesAZone) {
    const std::string secrets = folder_ / "secrets";
    testing_support::writeFile(secrets, "TOKEN=x\n");
    std::filesystem::permissions(secrets, std::filesystem::perms(0600));
    const std::string table = "[[dns]]\nzones = [\"gw.example\"]\nhook = ";
    const Settings settings = load(table + R"("lego-exec"
program = "/etc/certmgr/hook"
environment_file = ")" + secrets + R"("
timeout_seconds = 7
servers = ["192.0.2.54"]
wait_seconds = 9
[acme]
)");
    const auto& hook = std::get<acme::DnsHookSettings>(settings.dns.at(0).means);
    EXPECT_EQ(hook.form, acme::HookForm::legoExec);
    EXPECT_EQ(hook.program, "/etc/certmgr/hook");
    EXPECT_EQ(hook.environmentFile, secrets);
    EXPECT_EQ(hook.limit, std::chrono::seconds(7));
    EXPECT_EQ(settings.dns.at(0).servers, (std::vector<net::DnsServer>{{"192.0.2.54", 53}}));
    EXPECT_EQ(settings.dns.at(0).patience, std::chrono::seconds(9));
    EXPECT_EQ(settings.challenges, (std::vector{ChallengeKind::http01, ChallengeKind::dns01}));
    const Settings others = load(table + "\"dehydrated\"\nprogram = \"/hook\"\n" + table +
                                 "\"acme.sh\"\nprogram = \"/usr/share/acme.sh/dnsapi/dns_cf.sh\"");
    EXPECT_EQ(std::get<acme::DnsHookSettings>(others.dns.at(0).means).form, acme::HookForm::dehydrated);
    EXPECT_EQ(std::get<acme::DnsHookSettings>(others.dns.at(1).means).adapter,
              "/usr/libexec/certmgr/acme-sh-hook");

    const std::pair<std::string, const char*> cases[] = {
        {"\"certbot\"",
         "hook: found \"certbot\", expected one of \"lego-exec\", \"dehydrated\", \"acme.sh\""},
        {"\"lego-exec\"", "program: expected the path of the program"},
        {"\"lego-exec\"\nprogram = \"hook\"", "program: "},
        {"\"acme.sh\"", "program: expected the path of a file of acme.sh's dnsapi"},
        {"\"acme.sh\"\nprogram = \"/usr/bin/acme.sh\"", "expected a file dns_NAME.sh"},
        {"\"lego-exec\"\nprogram = \"/hook\"\nadapter = \"/adapter\"",
         "adapter: is for hook = \"acme.sh\" only"},
        {"\"lego-exec\"\nprogram = \"/hook\"\nserver = \"192.0.2.53\"",
         "server: belongs to a table that names a"},
        {"\"lego-exec\"\nprogram = \"/hook\"\nkey = \"k\"", "key: belongs to"},
        {"\"lego-exec\"\nprogram = \"/hook\"\ntimeout_seconds = 0", "timeout_seconds: "},
        {"\"lego-exec\"\nprogram = \"/hook\"\nenvironment_file = \"/nowhere\"",
         "environment_file: /nowhere: No such"},
    };
    for (const auto& [content, expected] : cases)
        EXPECT_NE(refusal(table + content).find(expected), std::string::npos) << content << "\n"
                                                                              << refusal(table + content);
    EXPECT_NE(refusal("[[dns]]\nzones = [\"gw.example\"]\nserver = \"192.0.2.53\"\nprogram = \"/hook\"")
                  .find("program: belongs to a table that has hook"),
              std::string::npos);
    std::filesystem::permissions(secrets, std::filesystem::perms(0604));
    EXPECT_NE(refusal(table + "\"lego-exec\"\nprogram = \"/hook\"\nenvironment_file = \"" + secrets + "\"")
                  .find("found mode 0604"),
              std::string::npos);
}

TEST_F(SettingsFile, saysWhatIsLookedAtBeforeAnOrder) {
    EXPECT_EQ(load("").preflight, std::nullopt);
    const Settings settings = load(R"([acme]
preflight = false
public_addresses = ["192.0.2.1", "2001:DB8::0:1"])");
    EXPECT_EQ(settings.preflight, false);
    EXPECT_EQ(settings.publicAddresses, (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));
    for (const char* const wrong : {"gw.example.com", "192.0.2.0/24", "192.0.2.256"})
        EXPECT_NE(refusal("[acme]\npublic_addresses = [\"" + std::string(wrong) + "\"]")
                      .find("found \"" + std::string(wrong) + "\", expected an IPv4 or IPv6 address"),
                  std::string::npos)
            << wrong;
}

TEST_F(SettingsFile, saysWhoIsToldOfAlarmsAndWhen) {
    const AlarmSettings alarms = load(R"(
[alarms]
warning_percent = 30
warning_days = 40
critical_percent = 20
critical_days = 30
failures = 1
metrics_file = "/run/certmgr/certmgr.prom"
program = ["/usr/bin/mail", "admin@example.com"]
program_seconds = 5
)")
                                     .alarms;
    EXPECT_EQ(alarms.rules.warning.percent, 30);
    EXPECT_EQ(alarms.rules.warning.days, 40);
    EXPECT_EQ(alarms.rules.critical.percent, 20);
    EXPECT_EQ(alarms.rules.critical.days, 30);
    EXPECT_EQ(alarms.rules.failures, 1);
    EXPECT_EQ(alarms.metricsFile, "/run/certmgr/certmgr.prom");
    EXPECT_EQ(alarms.program, (std::vector<std::string>{"/usr/bin/mail", "admin@example.com"}));
    EXPECT_EQ(alarms.programLimit, std::chrono::seconds(5));
    EXPECT_NE(refusal("[alarms]\ncritical_percent = 26").find("at most warning_percent"), std::string::npos);
    EXPECT_NE(refusal("[alarms]\nwarning_days = 6").find("at most warning_days"), std::string::npos);
    EXPECT_NE(refusal("[alarms]\nprogram = [\"mail\"]").find("absolute path"), std::string::npos);
    EXPECT_NE(refusal("[alarms]\nmetrics_file = \"m.prom\""), "accepted");
    EXPECT_NE(refusal("[alarms]\nprogram_seconds = 61"), "accepted");
}

// The example shows the defaults; read with the comment signs taken away it has to be right, too.
TEST_F(SettingsFile, exampleIsRightAndShowsTheDefaults) {
    const std::string example = testing_support::readFile(CERTMGR_ROOTFS "/etc/certmgr/certmgr.toml");
    ASSERT_NE(example, "");
    EXPECT_EQ(refusal(example), "accepted");
    const std::string secret = folder_ / "dns.secret";
    testing_support::writeFile(secret, "c2VjcmV0");
    std::filesystem::permissions(secret, std::filesystem::perms(0600));
    std::string active = std::regex_replace(example, std::regex("\n# ([a-z_]+ = |\\[\\[)"), "\n$1");
    active = std::regex_replace(active, std::regex("/etc/certmgr/(dns.secret|dns.env|eab.key)"), secret);
    const Settings shown = load(active);
    const Settings defaults;
    EXPECT_EQ(shown.stateDirectory, defaults.stateDirectory);
    EXPECT_EQ(shown.challengeDirectory, defaults.challengeDirectory);
    EXPECT_EQ(shown.serviceDirectories, defaults.serviceDirectories);
    EXPECT_EQ(shown.keydSocket, defaults.keydSocket);
    EXPECT_EQ(shown.workers, defaults.workers);
    EXPECT_EQ(shown.authority.rootLifetime, defaults.authority.rootLifetime);
    EXPECT_EQ(shown.authority.issuingLifetime, defaults.authority.issuingLifetime);
    EXPECT_EQ(shown.authority.leafLifetime, defaults.authority.leafLifetime);
    EXPECT_EQ(shown.authority.rootKeyAlgorithm, defaults.authority.rootKeyAlgorithm);
    EXPECT_EQ(shown.alarms.rules.warning.days, defaults.alarms.rules.warning.days);
    EXPECT_EQ(shown.alarms.rules.critical.percent, defaults.alarms.rules.critical.percent);
    EXPECT_EQ(shown.alarms.rules.failures, defaults.alarms.rules.failures);
    EXPECT_EQ(shown.alarms.programLimit, defaults.alarms.programLimit);
    EXPECT_EQ(shown.cas.at(0).name, "letsencrypt");
    const acme::DnsSettings dns;
    EXPECT_EQ(std::get<acme::DnsUpdateSettings>(shown.dns.at(0).means).algorithm,
              acme::DnsUpdateSettings().algorithm);
    EXPECT_EQ(shown.dns.at(0).patience, dns.patience);
    EXPECT_EQ(std::get<acme::DnsHookSettings>(shown.dns.at(1).means).limit, acme::DnsHookSettings().limit);
}

TEST_F(SettingsFile, saysHowACaGetsThroughThePacketFilter) {
    EXPECT_EQ(load("").ports.opener, PortOpening::none);
    const Settings settings = load(R"(
[acme]
challenge_port = 8080
tls_challenge_port = 0
[ports]
opener = "nftables"
command = ["/usr/local/sbin/port", "wan"]
family = "ip"
table = "gateway-1"
set = "open_ports"
limit_seconds = 60
)");
    EXPECT_EQ(settings.ports.opener, PortOpening::nftables);
    EXPECT_EQ(settings.ports.command, (std::vector<std::string>{"/usr/local/sbin/port", "wan"}));
    EXPECT_EQ(settings.ports.family + settings.ports.table + settings.ports.set, "ipgateway-1open_ports");
    EXPECT_EQ(settings.ports.limit, seconds(60));
    EXPECT_EQ(settings.httpPort(), 8080);
    EXPECT_EQ(settings.tlsPort(), 443) << "the one on which a CA asks";
}

TEST_F(SettingsFile, letsNothingThroughToNftButNames) {
    for (const std::string wrong : {"", "a b", "a;flush ruleset", "{", "1a", "-a"})
        for (const std::string key : {"table", "set"})
            EXPECT_NE(
                refusal("[ports]\n" + key + " = \"" + wrong + "\"\n").find("expected a name of letters"),
                std::string::npos)
                << key << " " << wrong;
    EXPECT_NE(refusal("[ports]\nfamily = \"bridge\"").find("\"inet\", \"ip\", \"ip6\""), std::string::npos);
    EXPECT_NE(refusal("[ports]\nopener = \"ufw\"").find("\"none\", \"nftables\""), std::string::npos);
    EXPECT_NE(refusal("[ports]\ncommand = [\"port\"]").find("absolute path"), std::string::npos);
    EXPECT_NE(refusal("[ports]\nlimit_seconds = 0"), "accepted");
}

}  // namespace
}  // namespace certmgr::config
