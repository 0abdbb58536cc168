// What other implementations say of the certificates that we make: openssl, GnuTLS, python's cryptography,
// and zlint where it is there ($CERTMGR_ZLINT or PATH; scripts/setup installs it where Go is).
#include <cstdlib>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "certmgr/authority/authority.h"
#include "tests/support/child_process.h"
#include "tests/support/memory_key_store.h"

namespace {

using namespace certmgr;
using namespace testing_support;

struct Wanted {
    const char* name;
    hal::KeyAlgorithm algorithm;
    std::vector<Identifier> names;
};
const std::vector<Wanted> leaves{
    {"ec",
     hal::KeyAlgorithm::ecP256,
     {{Identifier::Type::dns, "*.example.com"}, {Identifier::Type::dns, "example.com"}}},
    {"p384", hal::KeyAlgorithm::ecP384, {{Identifier::Type::dns, "xn--bcher-kva.example.com"}}},
    {"rsa", hal::KeyAlgorithm::rsa2048, {{Identifier::Type::dns, "gw.example.com"}}},
    {"ip",
     hal::KeyAlgorithm::ecP256,
     {{Identifier::Type::ip, "8.8.8.8"}, {Identifier::Type::ip, "2606:4700::1111"}}},
    {"unnamed",
     hal::KeyAlgorithm::ecP256,
     {{Identifier::Type::dns, "a-label-that-alone-has-nearly-as-many-octets-as-it-may-have.b.example.com"}}},
};

class MadeHere : public testing::Test {
  protected:
    TemporaryDirectory folder;

    MadeHere() {
        MemoryKeyStore keys;
        const authority::AuthoritySettings settings;
        const TimePoint now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
        const auto root = authority::makeRoot(keys, settings, "root-1", KeyId::fresh(), now);
        const auto issuing = authority::makeIssuing(keys, settings, "issuing-1", KeyId::fresh(), root, now);
        const authority::LeafSigner signer(keys, issuing, settings.leafLifetime);
        const auto clientKey = keys.make(
            {.id = KeyId::fresh(), .algorithm = hal::KeyAlgorithm::ecP256, .access = {}, .label = "client"});
        const std::string client =
            signer
                .sign(authority::EndEntityRequest{.commonName = "Anna",
                                                  .names = parseAlternativeNames(
                                                      {"email:anna@example.org", "uri:urn:device:7"})},
                      clientKey.publicKey, now)
                .chainPem;
        inspect(keys, root, now);
        writeFile(folder / "client.chain", client + root.certificatePem);
        writeFile(folder / "client.pem", crypto::toPem(*crypto::parseChainPem(client).front()));
        const CertificateSummary made = crypto::summarize(*crypto::parseChainPem(client).front());
        const auto list = [&](const AuthorityRecord& issuer,
                              const std::vector<crypto::RevokedCertificate>& revoked) {
            return crypto::crlToPem(
                authority::makeCrl(keys, issuer, 7, revoked, std::chrono::hours(168), now).der);
        };
        writeFile(folder / "empty.crl", list(root, {}) + list(issuing, {}));
        writeFile(folder / "revoked.crl",
                  list(root, {}) + list(issuing, {{made.serial, {now, RevocationReason::keyCompromise}}}));
        writeFile(folder / "root.pem", root.certificatePem);
        writeFile(folder / "issuing.pem", issuing.certificatePem);
        for (const Wanted& leaf : leaves) {
            const auto key = keys.make(
                {.id = KeyId::fresh(), .algorithm = leaf.algorithm, .access = {}, .label = leaf.name});
            const std::string chain = signer.sign(leaf.names, key.publicKey, now).chainPem;
            writeFile(folder / (leaf.name + std::string(".chain")), chain + root.certificatePem);
            writeFile(folder / (leaf.name + std::string(".pem")),
                      crypto::toPem(*crypto::parseChainPem(chain).front()));
        }
    }

    // What a proxy, or who has its key, may sign: a server, a client and another CA.
    void inspect(MemoryKeyStore& keys, const AuthorityRecord& root, TimePoint now) const {
        const authority::AuthoritySettings settings;
        AuthorityRecord proxy{.id = "proxy", .role = AuthorityRole::issuing, .key = KeyId::fresh()};
        const auto key = keys.make(
            {.id = proxy.key, .algorithm = hal::KeyAlgorithm::ecP256, .access = {}, .label = "proxy"});
        const auto made = authority::signInspectionCa(keys, settings, root, {}, key.publicKey, now);
        proxy.certificatePem = made.chainPem;
        proxy.summary = made.summary;
        const authority::LeafSigner signer(keys, proxy, settings.leafLifetime);
        writeFile(folder / "inspection.pem", made.chainPem);
        writeFile(folder / "site.pem", signer.sign(leaves.front().names, key.publicKey, now).chainPem);
        writeFile(
            folder / "visitor.pem",
            signer.sign(authority::EndEntityRequest{.commonName = "Anna"}, key.publicKey, now).chainPem);
        const auto below = authority::makeIssuing(keys, settings, "issuing-2", KeyId::fresh(), proxy, now);
        writeFile(folder / "below.pem", authority::LeafSigner(keys, below, settings.leafLifetime)
                                            .sign(leaves.front().names, key.publicKey, now)
                                            .chainPem);
    }

    std::string file(const std::string& name) const { return (folder / name).string(); }
};

TEST_F(MadeHere, opensslVerifiesStrictly) {
    for (const Wanted& leaf : leaves) {
        const Identifier& name = leaf.names.back();
        const auto result = run({"openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-auth_level",
                                 "2", "-CAfile", file("root.pem"), "-untrusted", file("issuing.pem"),
                                 name.type == Identifier::Type::dns ? "-verify_hostname" : "-verify_ip",
                                 name.value, file(leaf.name + std::string(".pem"))});
        EXPECT_EQ(result.status, 0) << leaf.name << ": " << result.output;
    }
}

TEST_F(MadeHere, aClientVerifiesAsAClientAlone) {
    const auto verify = [&](const char* purpose, const char* crl) {
        return run({"openssl", "verify", "-x509_strict", "-purpose", purpose, "-auth_level", "2", "-CAfile",
                    file("root.pem"), "-untrusted", file("issuing.pem"), "-crl_check_all", "-CRLfile",
                    file(crl), file("client.pem")});
    };
    EXPECT_EQ(verify("sslclient", "empty.crl").status, 0) << verify("sslclient", "empty.crl").output;
    EXPECT_NE(verify("sslserver", "empty.crl").status, 0);
    EXPECT_NE(verify("sslclient", "revoked.crl").output.find("certificate revoked"), std::string::npos);
    const auto gnutls = run({"certtool", "--verify-chain", "--infile", file("client.chain")});
    EXPECT_NE(gnutls.output.find("Chain verification output: Verified"), std::string::npos) << gnutls.output;
    const auto gnutlsList = run({"certtool", "--crl-info", "--infile", file("revoked.crl")});
    EXPECT_EQ(gnutlsList.status, 0) << gnutlsList.output;
}

TEST_F(MadeHere, anInspectionCaSignsServersAndNothingElse) {
    const auto verify = [&](const char* purpose, const char* name) {
        return run({"openssl", "verify", "-x509_strict", "-purpose", purpose, "-auth_level", "2", "-CAfile",
                    file("root.pem"), "-untrusted", file("inspection.pem"), "-untrusted", file(name),
                    file(name)});
    };
    EXPECT_EQ(verify("sslserver", "site.pem").status, 0) << verify("sslserver", "site.pem").output;
    EXPECT_NE(verify("sslclient", "visitor.pem").output.find("unsuitable certificate purpose"),
              std::string::npos)
        << verify("sslclient", "visitor.pem").output;
    EXPECT_NE(verify("sslserver", "below.pem").output.find("path length constraint exceeded"),
              std::string::npos)
        << verify("sslserver", "below.pem").output;
    writeFile(folder / "site.chain", readFile(folder / "site.pem") + readFile(folder / "root.pem"));
    const auto gnutls = run({"certtool", "--verify-chain", "--infile", file("site.chain")});
    EXPECT_NE(gnutls.output.find("Chain verification output: Verified"), std::string::npos) << gnutls.output;
}

TEST_F(MadeHere, opensslRefusesAnotherName) {
    const auto result = run({"openssl", "verify", "-CAfile", file("root.pem"), "-untrusted",
                             file("issuing.pem"), "-verify_hostname", "other.example.org", file("rsa.pem")});
    EXPECT_NE(result.status, 0) << result.output;
}

TEST_F(MadeHere, gnutlsVerifiesTheChain) {
    for (const Wanted& leaf : leaves) {
        const auto result =
            run({"certtool", "--verify-chain", "--infile", file(leaf.name + std::string(".chain"))});
        EXPECT_EQ(result.status, 0) << leaf.name << ": " << result.output;
        EXPECT_NE(result.output.find("Chain verification output: Verified"), std::string::npos)
            << result.output;
    }
}

// Errors of the Baseline Requirements that a private CA has no use for.
const std::set<std::string> notForAPrivateCa{
    "e_ca_country_name_missing",                 // a box is in no country that it knows of
    "e_sub_ca_certificate_policies_missing",     // there is no certification practice statement to point to
    "e_sub_cert_certificate_policies_missing",   // the same
    "e_sub_cert_cert_policy_empty",              // the same
    "e_invalid_ca_certificate_policies",         // the same
    "e_missing_crl_distrib_point",               // the CA has no public web server
    "e_sub_ca_crl_distribution_points_missing",  // the same
    "e_sub_cert_aia_missing",                    // the same
    "e_sub_cert_aia_does_not_contain_ocsp_url",  // the same; there is no OCSP
};

std::string zlint() {
    if (const char* named = std::getenv("CERTMGR_ZLINT")) return named;
    std::istringstream path(std::getenv("PATH") ? std::getenv("PATH") : "");
    for (std::string part; std::getline(path, part, ':');)
        if (const std::string program = part + "/zlint"; ::access(program.c_str(), X_OK) == 0) return program;
    return {};
}

std::vector<std::string> lintErrors(const std::string& program, const std::string& file) {
    const auto result = run({program, file});
    EXPECT_EQ(result.status, 0) << result.output;
    std::vector<std::string> errors;
    const auto lints = nlohmann::json::parse(result.output);
    EXPECT_GT(lints.size(), 100U);
    for (const auto& [name, lint] : lints.items())
        if ((lint.at("result") == "error" || lint.at("result") == "fatal") &&
            !notForAPrivateCa.contains(name))
            errors.push_back(name);
    return errors;
}

// Runs beside the checks above, which hold by themselves where Go, and so zlint, is missing.
TEST_F(MadeHere, zlintFindsNoError) {
    const std::string program = zlint();
    if (program.empty()) return;
    std::vector<std::string> files{"root.pem", "issuing.pem", "inspection.pem", "client.pem"};
    for (const Wanted& leaf : leaves) files.push_back(leaf.name + std::string(".pem"));
    for (const std::string& name : files)
        EXPECT_EQ(lintErrors(program, file(name)), std::vector<std::string>{}) << name;
}

TEST_F(MadeHere, cryptographyReadsEveryExtension) {
    const std::string program = R"(
import sys
from cryptography import x509
for file in sys.argv[1:]:
    certificate = x509.load_pem_x509_certificate(open(file, 'rb').read())
    assert certificate.version == x509.Version.v3
    assert 0 < certificate.serial_number < 2 ** 159
    assert not any(isinstance(e.value, x509.UnrecognizedExtension) for e in certificate.extensions)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical and usage.critical
    assert usage.value.key_cert_sign == constraints.value.ca == (file.endswith(('root.pem', 'issuing.pem', 'inspection.pem')))
    if not constraints.value.ca:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert names.critical == (len(list(certificate.subject)) == 0)
)";
    std::vector<std::string> command{
        "/usr/bin/python3", "-c", program, file("root.pem"), file("issuing.pem"), file("inspection.pem")};
    for (const Wanted& leaf : leaves) command.push_back(file(leaf.name + std::string(".pem")));
    const auto result = run(command);
    EXPECT_EQ(result.status, 0) << result.output;
}

}  // namespace
