// The box's own CA under an administrator's hands, and over the years.
#include <sstream>

#include "certmgr/crypto/csr.h"
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using std::chrono::days;
using testing_support::run;
using testing_support::RunResult;

class AuthorityTest : public EngineTest {
  protected:
    AuthorityTest() {
        settings.cas.clear();  // all certificates are the box's own
        profile.clientCrl = true;
    }

    std::string file(const std::string& name) const { return (folder / "authority" / name).string(); }
    std::string published(const std::string& name) const { return testing_support::readFile(file(name)); }
    std::string written(const std::string& name, const std::string& content) const {
        testing_support::writeFile(folder / name, content);
        return (folder / name).string();
    }

    static hal::UniqueFd output() { return hal::UniqueFd(::memfd_create("output", MFD_CLOEXEC)); }
    static hal::UniqueFd again(const hal::UniqueFd& fd) { return hal::UniqueFd(::dup(fd.get())); }
    static std::string contentOf(const hal::UniqueFd& fd) {
        ::lseek(fd.get(), 0, SEEK_SET);
        std::string content(1 << 20, '\0');
        const ssize_t count = ::read(fd.get(), content.data(), content.size());
        content.resize(static_cast<std::size_t>(count));
        return content;
    }

    // Follows a job to its end; its result, or "CODE: SENTENCE" of the error.
    std::string ended(const std::string& id) {
        settle();
        const JobView& view = job(id);
        return view.state == "done" ? view.result : view.errorCode + ": " + view.error;
    }

    std::string issueClient(const std::string& name, std::string* chain = nullptr) {
        const hal::UniqueFd out = output();
        const std::string serial = ended(engine->issueBundle(
            {{.purpose = "client", .commonName = name, .names = {"email:" + name + "@example.org"}},
             "",
             "pem"},
            fileWith(""), again(out)));
        if (chain) *chain = contentOf(out);
        return serial;
    }

    // By OpenSSL's program at the time of the manual clock, with nothing but the given roots.
    RunResult verify(const std::string& roots, const std::string& chain,
                     std::vector<std::string> more = {}) const {
        const std::string at = std::to_string(clock.now().time_since_epoch().count());
        std::vector<std::string> command{"openssl",
                                         "verify",
                                         "-x509_strict",
                                         "-attime",
                                         at,
                                         "-CAfile",
                                         written("roots.pem", roots),
                                         "-no-CApath",
                                         "-no-CAstore",
                                         "-untrusted"};
        const std::string chainFile = written("chain.pem", chain);
        command.push_back(chainFile);
        command.insert(command.end(), more.begin(), more.end());
        command.push_back(chainFile);
        return run(command);
    }
    // What openssl req dates is valid from then on.
    void setRealTime() {
        clock.set(std::chrono::floor<seconds>(std::chrono::system_clock::now()) + std::chrono::minutes(5));
    }
    std::string served() { return database_().credentials.current("gw.example.com")->chainPem; }
    Records& database_() {
        if (!records_) records_ = std::make_unique<Records>(*database);
        return *records_;
    }
    std::string rootPem(const std::string& id) const { return views->authorities().at(id).certificatePem; }

    std::unique_ptr<Records> records_;
};

TEST_F(AuthorityTest, SignsARequestAndListsIt) {
    startEngine();
    const auto made =
        run({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", (folder / "k.pem").string(), "-out", (folder / "csr.pem").string(), "-subj",
             "/CN=Anna", "-addext", "subjectAltName=email:anna@example.org,URI:urn:device:7"});
    ASSERT_EQ(made.status, 0) << made.output;
    const hal::UniqueFd out = output();
    const std::string serial =
        ended(engine->signRequest({}, fileWith(testing_support::readFile(folder / "csr.pem")), again(out)));
    const std::string chain = contentOf(out);
    const RunResult verified = verify(published("trust.pem"), chain, {"-purpose", "sslclient"});
    EXPECT_EQ(verified.status, 0) << verified.output;
    EXPECT_NE(verify(published("trust.pem"), chain, {"-purpose", "sslserver"}).status, 0)
        << "clientAuth and serverAuth are never both there";
    ASSERT_EQ(engine->issued(0).size(), 1U);
    const IssuedCertificate listed = engine->issued(0).front();
    EXPECT_EQ(listed.summary.serial, serial);
    EXPECT_EQ(listed.names, parseAlternativeNames({"email:anna@example.org", "uri:urn:device:7"}));
    EXPECT_TRUE(engine->issued(listed.number).empty());
}

TEST_F(AuthorityTest, RefusesRequestsThatAreNone) {
    startEngine();
    const auto code = [&](const std::string& csr) {
        return ended(engine->signRequest({}, fileWith(csr), output()));
    };
    EXPECT_TRUE(code("no request").starts_with("bad-csr: ")) << code("no request");
    const auto weak = run({"openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout",
                           (folder / "k.pem").string(), "-subj", "/CN=weak"});
    EXPECT_TRUE(code(weak.output.substr(weak.output.find("-----BEGIN CERT"))).starts_with("weak-key: "));
    const auto encrypted =
        "-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
        "00112233445566778899AABBCCDDEEFF\n\nMTIzNDU2Nzg5MDEyMzQ1Ng==\n-----END CERTIFICATE "
        "REQUEST-----\n";
    EXPECT_TRUE(code(encrypted).starts_with("bad-csr: ")) << code(encrypted);
    const auto twice =
        run({"openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
             (folder / "k.pem").string(), "-subj", "/CN=twice", "-addext", "subjectAltName=DER:04:00"});
    const std::string unsound = code(twice.output.substr(twice.output.find("-----BEGIN CERT")));
    EXPECT_NE(unsound.find("subjectAltName"), std::string::npos) << unsound;
    EXPECT_THROW(engine->signRequest({.purpose = "both"}, fileWith(""), output()), Error);
    EXPECT_THROW(engine->signRequest({.names = {"anna@example.org"}}, fileWith(""), output()), Error);
    EXPECT_TRUE(engine->issued(0).empty());
}

TEST_F(AuthorityTest, DeliversAKeyOnceAndKeepsNone) {
    startEngine();
    const std::size_t before = keys.list().size();
    const hal::UniqueFd out = output();
    const std::string serial = ended(engine->issueBundle(
        {{.commonName = "Anna", .names = {"email:anna@example.org"}}, "rsa-2048", "pkcs12"},
        fileWith("open sesame\n"), again(out)));
    EXPECT_GT(serial.size(), 32U) << serial;  // at most 40: leading zeros are not written
    EXPECT_EQ(keys.list().size(), before);
    const std::string bundle = written("anna.p12", contentOf(out));
    const auto opened = run({"openssl", "pkcs12", "-in", bundle, "-passin", "pass:open sesame", "-nodes"});
    EXPECT_EQ(opened.status, 0) << opened.output;
    EXPECT_NE(opened.output.find("PRIVATE KEY"), std::string::npos);
    EXPECT_NE(opened.output.find("CN = Anna"), std::string::npos) << opened.output;
    EXPECT_NE(run({"certtool", "--p12-info", "--inder", "--password", "open sesame", "--infile", bundle})
                  .output.find("BEGIN CERTIFICATE"),
              std::string::npos);
    EXPECT_TRUE(ended(engine->issueBundle({{.commonName = "x"}, "", "pkcs12"}, fileWith("\n"), output()))
                    .starts_with("no-passphrase: "));
}

TEST_F(AuthorityTest, ARevokedCertificateIsOnTheListAtOnceAndServicesAreReloadedOnce) {
    startEngine();
    runUntil(clock.now() + seconds(5));
    std::string chain;
    const std::string serial = issueClient("anna", &chain);
    const int reloads = service->reloads();
    const auto checked = [&] {
        return verify(published("client-ca.pem"), chain,
                      {"-crl_check_all", "-CRLfile", file("crl.pem"), "-purpose", "sslclient"});
    };
    EXPECT_EQ(checked().status, 0) << checked().output;
    EXPECT_EQ(ended(engine->revoke(serial, "key-compromise")),
              serial + " is revoked, and the revocation list says so");
    EXPECT_NE(checked().output.find("certificate revoked"), std::string::npos) << checked().output;
    runUntil(clock.now() + seconds(5));
    EXPECT_EQ(service->reloads(), reloads + 1);
    const auto shown = run({"openssl", "crl", "-inform", "DER", "-in", file("crl.der"), "-noout", "-text"});
    EXPECT_NE(shown.output.find("Key Compromise"), std::string::npos) << shown.output;
    EXPECT_TRUE(ended(engine->revoke(serial, "superseded")).starts_with("already-revoked: "));
    EXPECT_TRUE(ended(engine->revoke("00", "superseded")).starts_with("issued-not-found: "));
    EXPECT_THROW(engine->revoke(serial, "because"), Error);
    startEngine();
    runUntil(clock.now() + seconds(5));
    EXPECT_EQ(service->reloads(), reloads + 1) << "a restart tells nobody what they know";
}

TEST_F(AuthorityTest, TheListIsRenewedHalfWayAndItsNumberGrows) {
    startEngine();
    const auto number = [&] {
        return run({"openssl", "crl", "-in", file("crl.der"), "-inform", "DER", "-noout", "-crlnumber"})
            .output;
    };
    const std::string first = number();
    EXPECT_NE(first.find("0x01"), std::string::npos) << first;
    runUntil(clock.now() + days(3));
    EXPECT_EQ(number(), first);
    runUntil(clock.now() + days(1));
    EXPECT_NE(number().find("0x02"), std::string::npos) << number();
}

TEST_F(AuthorityTest, ARevocationThatCouldNotBePublishedIsPublishedSoon) {
    startEngine();
    std::string chain;
    const std::string serial = issueClient("anna", &chain);
    const std::filesystem::path inTheWay = folder / "authority" / "crl.pem";
    std::filesystem::remove(inTheWay);
    std::filesystem::create_directories(inTheWay / "full");
    const std::string failed = ended(engine->revoke(serial, "superseded"));
    EXPECT_EQ(failed.find("is revoked"), std::string::npos) << failed;
    std::filesystem::remove_all(inTheWay);
    runUntil(clock.now() + std::chrono::minutes(2));
    const RunResult checked =
        verify(published("client-ca.pem"), chain, {"-crl_check_all", "-CRLfile", file("crl.pem")});
    EXPECT_NE(checked.output.find("certificate revoked"), std::string::npos) << checked.output;
}

TEST_F(AuthorityTest, ACaThatCannotSignKeepsItsListAndHoldsUpNoOther) {
    startEngine();
    std::string chain;
    const std::string serial = issueClient("anna", &chain);
    ended(engine->revoke(serial, "superseded"));
    ended(engine->reissueAuthority());
    for (const AuthorityRecord& authority : database_().authorities.list()) {
        if (authority.id == "issuing-1") keys.destroy(authority.key);
        if (authority.id != "root-1") continue;
        keys.destroy(authority.key);
        keys.make({authority.key, hal::KeyAlgorithm::ecP384, hal::KeyPolicy::file, {}, "another box's"});
    }
    runUntil(clock.now() + days(4));
    const auto shown =
        run({"openssl", "crl", "-in", file("crl.der"), "-inform", "DER", "-noout", "-crlnumber"});
    EXPECT_NE(shown.output.find("0x02"), std::string::npos) << shown.output;
    const RunResult checked =
        verify(published("client-ca.pem"), chain, {"-crl_check_all", "-CRLfile", file("crl.pem")});
    EXPECT_NE(checked.output.find("certificate revoked"), std::string::npos) << checked.output;
    EXPECT_TRUE(log.contains("the revocation list of root-1 stays as it is"));
}

TEST_F(AuthorityTest, AWrongClockNeitherAgesAListNorDropsARevocation) {
    startEngine();
    std::string anna;
    std::string boris;
    ended(engine->revoke(issueClient("anna", &anna), "superseded"));
    const std::string serial = issueClient("boris", &boris);
    const std::string before = published("crl.pem");
    clock.distrust("not synchronised");
    for (const TimePoint wrong : {TimePoint(), start + days(3000)}) {
        clock.set(wrong);
        engine->review();
        settle();
        engine->runDue();
        settle();
        EXPECT_EQ(published("crl.pem"), before);
        EXPECT_GT(*engine->nextDue(), clock.now());
    }
    clock.set(TimePoint());
    EXPECT_TRUE(issueClient("clara").starts_with("clock-behind: "));
    ended(engine->revoke(serial, "superseded"));
    clock.set(start + days(1));
    for (const std::string& chain : {anna, boris}) {
        const RunResult checked =
            verify(published("client-ca.pem"), chain, {"-crl_check_all", "-CRLfile", file("crl.pem")});
        EXPECT_NE(checked.output.find("certificate revoked"), std::string::npos) << checked.output;
    }
}

// Kill -9 when the new root was stored, and nothing of what follows.
TEST_F(AuthorityTest, ARestartMakesAHalfMadeRolloverWhole) {
    startEngine();
    stopEngine();
    const KeyId key = KeyId::fresh();
    database_().keys.intend(key, "authority:root-2");
    database_().authorities.add(authority::makeRoot(keys, settings.authority, "root-2", key, clock.now()));
    records_.reset();
    startEngine();
    EXPECT_EQ(views->authorities().at("root-2").state, "in-force");
    EXPECT_EQ(views->authorities().at("issuing-2").state, "in-force");
    EXPECT_GT(issueClient("anna").size(), 32U);
    for (const char* root : {"root-1", "root-2"})
        EXPECT_EQ(verify(rootPem(root), served()).status, 0) << root;
}

TEST_F(AuthorityTest, AReissuedRootCostsAServiceOneReload) {
    profile.clientCrl = false;
    for (int i = 0; i < 50; ++i)
        profile.certificates.push_back(specFor("n" + std::to_string(i) + ".example.com"));
    startEngine();
    EXPECT_EQ(service->reloads(), 1);
    const std::string before = served();
    const std::string result = ended(engine->reissueAuthority());
    EXPECT_TRUE(result.starts_with("issuing-2 signs now; 51 local certificates were signed anew")) << result;
    EXPECT_EQ(service->reloads(), 2);
    EXPECT_NE(served(), before);
    EXPECT_EQ(views->authorities().at("root-1").state, "trusted");
    EXPECT_EQ(views->authorities().at("root-1").dependents, std::vector<std::string>{});
    for (const char* root : {"root-1", "root-2"}) {
        const RunResult verified = verify(rootPem(root), served(), {"-purpose", "sslserver"});
        EXPECT_EQ(verified.status, 0) << root << ": " << verified.output;
    }
    ended(engine->reissueAuthority());
    for (const char* root : {"root-1", "root-2", "root-3"})
        EXPECT_EQ(verify(rootPem(root), served()).status, 0) << root;
}

TEST_F(AuthorityTest, SaysWhatIsStillServedUnderTheRootBefore) {
    profile.probes.front().timeout = std::chrono::milliseconds(100);
    startEngine();
    issueClient("anna");
    service->set(testing_support::FakeService::Mood::ignoresReload);
    const std::string result = ended(engine->reissueAuthority());
    EXPECT_NE(result.find("root-1: gw.example.com at web"), std::string::npos) << result;
    EXPECT_NE(result.find("root-1: 1 certificates issued to others"), std::string::npos) << result;
}

TEST_F(AuthorityTest, GeneratesFromADistinguishedName) {
    startEngine();
    const std::string result =
        ended(engine->generateAuthority("CN=Example CA, O=Example\\, Inc., C=DE", 1000));
    EXPECT_TRUE(result.starts_with("issuing-2 signs now")) << result;
    const AuthorityView& root = views->authorities().at("root-2");
    EXPECT_EQ(root.subject, "CN=Example CA,O=Example\\, Inc.,C=DE");
    EXPECT_EQ(root.state, "in-force");
    EXPECT_EQ(verify(rootPem("root-2"), served()).status, 0);
    EXPECT_EQ(verify(rootPem("root-1"), served()).status, 0);
    for (const char* wrong : {"", "CN=", "O=nobody", "X=1,CN=a", "CN=a\\", "C=DEU,CN=a"})
        EXPECT_THROW(engine->generateAuthority(wrong, 0), Error) << wrong;
}

TEST_F(AuthorityTest, RunsUnderACompanysRoot) {
    startEngine();
    const std::string rootFile = (folder / "company.pem").string();
    const std::string rootKey = (folder / "company.key").string();
    ASSERT_EQ(run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", rootKey, "-out",
                   rootFile, "-subj", "/O=Company/CN=Company root", "-days", "3650", "-addext",
                   "keyUsage=critical,keyCertSign,cRLSign"})
                  .status,
              0);
    EXPECT_TRUE(ended(engine->installAuthority(fileWith(testing_support::readFile(rootFile))))
                    .starts_with("nothing-requested: "));
    const hal::UniqueFd out = output();
    ended(engine->requestAuthority(again(out)));
    const std::string csr = written("issuing.csr", contentOf(out));
    written("ext.cnf",
            "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
    const auto issued =
        run({"openssl", "x509", "-req", "-in", csr, "-CA", rootFile, "-CAkey", rootKey, "-days", "1825",
             "-extfile", (folder / "ext.cnf").string(), "-out", (folder / "issuing.pem").string()});
    ASSERT_EQ(issued.status, 0) << issued.output;
    setRealTime();
    const std::string own = testing_support::readFile(folder / "issuing.pem");
    const std::string company = testing_support::readFile(rootFile);
    EXPECT_TRUE(ended(engine->installAuthority(fileWith(own))).starts_with("authority-refused: "));
    EXPECT_TRUE(ended(engine->installAuthority(fileWith(company))).starts_with("key-mismatch: "));
    const std::string result = ended(engine->installAuthority(fileWith(company + own)));
    EXPECT_TRUE(result.starts_with("issuing-2 signs now")) << result;
    const RunResult verified = verify(company, served(), {"-purpose", "sslserver"});
    EXPECT_EQ(verified.status, 0) << verified.output;
    EXPECT_NE(published("trust.pem").find(company), std::string::npos);
    startEngine();
    EXPECT_EQ(views->authorities().at("issuing-2").state, "in-force") << "also after a restart";
}

TEST_F(AuthorityTest, ImportsARootWithItsKey) {
    startEngine();
    setRealTime();
    const auto make = [&](const std::string& constraints) {
        const auto made = run({"openssl",
                               "req",
                               "-x509",
                               "-newkey",
                               "ec",
                               "-pkeyopt",
                               "ec_paramgen_curve:P-384",
                               "-nodes",
                               "-keyout",
                               (folder / "k.pem").string(),
                               "-out",
                               (folder / "c.pem").string(),
                               "-subj",
                               "/CN=Imported root",
                               "-days",
                               "3650",
                               "-addext",
                               constraints,
                               "-addext",
                               "keyUsage=critical,keyCertSign,cRLSign"});
        EXPECT_EQ(made.status, 0) << made.output;
        return testing_support::readFile(folder / "c.pem") + testing_support::readFile(folder / "k.pem");
    };
    const std::size_t before = keys.list().size();
    const std::string tooShort =
        ended(engine->importAuthority(fileWith(make("basicConstraints=critical,CA:TRUE,pathlen:0"))));
    EXPECT_TRUE(tooShort.starts_with("authority-refused: ")) << tooShort;
    const std::string noCa =
        ended(engine->importAuthority(fileWith(make("basicConstraints=critical,CA:FALSE"))));
    EXPECT_NE(noCa.find("CA:TRUE"), std::string::npos) << noCa;
    EXPECT_EQ(keys.list().size(), before) << "what is refused leaves no key";
    const std::string imported = make("basicConstraints=critical,CA:TRUE");
    const std::string result = ended(engine->importAuthority(fileWith(imported)));
    EXPECT_TRUE(result.starts_with("issuing-2 signs now")) << result;
    EXPECT_EQ(views->authorities().at("root-2").subject, "CN=Imported root");
    const std::size_t after = keys.list().size();
    const std::string twice = ended(engine->importAuthority(fileWith(imported)));
    EXPECT_TRUE(twice.starts_with("authority-known: ")) << twice;
    EXPECT_EQ(keys.list().size(), after);
    EXPECT_EQ(verify(rootPem("root-2"), served()).status, 0);
    EXPECT_EQ(verify(rootPem("root-1"), served()).status, 0);
}

// features.md 8: overlapping roots. A client takes the bundle now and then, here twice a year.
TEST_F(AuthorityTest, OverElevenYearsNoClientWithAPublishedBundleIsEverLost) {
    profile.clientCrl = false;
    startEngine();
    std::string fetched = published("trust.pem");
    const TimePoint end = start + days(4015);
    TimePoint fetchAt = start + days(150);
    std::size_t mostRoots = 0;
    while (clock.now() < end) {
        clock.advance(days(14));
        while (*engine->nextDue() <= clock.now()) {
            engine->runDue();
            settle();
        }
        for (const std::string& bundle : {published("trust.pem"), fetched}) {
            const auto chain = crypto::parseChainPem(served());
            EXPECT_NO_THROW(crypto::verifyChain(chain, crypto::parseChainPem(bundle), clock.now()))
                << formatTime(clock.now());
        }
        mostRoots = std::max(mostRoots, crypto::parseChainPem(published("trust.pem")).size());
        if (clock.now() < fetchAt) continue;
        fetchAt += days(150);
        const RunResult verified = verify(fetched, served(), {"-purpose", "sslserver"});
        EXPECT_EQ(verified.status, 0) << formatTime(clock.now()) << verified.output;
        fetched = published("trust.pem");
    }
    EXPECT_EQ(mostRoots, 2U) << "there was an overlap";
    EXPECT_EQ(crypto::parseChainPem(published("trust.pem")).size(), 1U) << "and its end";
}

}  // namespace
}  // namespace certmgr::engine
