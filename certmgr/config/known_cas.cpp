#include "certmgr/config/known_cas.h"

#include "certmgr/config/limit_tables.h"
#include "certmgr/config/order_tables.h"
#include "certmgr/config/words.h"

namespace certmgr::config {
namespace {

KnownCa readKnownCa(const std::filesystem::path& file) {
    const toml::table document = readToml(file);
    TableReader reader(document);
    KnownCa ca;
    ca.settings.name = file.stem();
    if (!isPlainName(ca.settings.name))
        reader.refuse("name", "a CA is called by its file: expected letters a-z, digits and hyphens");
    readOffer(reader, ca.settings);
    reader.read("external_account", ca.externalAccountOnly);
    reader.read("documentation", ca.documentation);
    reader.finish();
    return ca;
}

}  // namespace

std::map<std::string, KnownCa> loadKnownCas(const std::vector<std::filesystem::path>& directories) {
    std::map<std::string, KnownCa> known;
    for (const std::filesystem::path& directory : directories) {
        std::error_code error;
        std::filesystem::directory_iterator entries(directory, error);
        if (error == std::errc::no_such_file_or_directory) continue;
        if (error)
            throw Error(ErrorKind::misconfigured, "bad-config",
                        directory.string() + ": cannot be listed: " + error.message() + "; check its rights");
        for (const std::filesystem::directory_entry& entry : entries)
            if (entry.path().extension() == ".toml" && !entry.is_directory())
                known.insert_or_assign(entry.path().stem(), readKnownCa(entry.path()));
    }
    return known;
}

void readOffer(TableReader& reader, acme::CaSettings& ca) {
    reader.read("directory", ca.directory);
    std::filesystem::path trustFile = ca.trustFile;
    reader.readPath("trust_file", trustFile);
    ca.trustFile = trustFile;
    reader.read("for_tests", ca.forTests);
    reader.read("staging", ca.staging);
    reader.read("caa_identities", ca.caaIdentities);
    readAcmeProfile(reader, "address_profile", ca.addressProfile);
    readLimits(reader, ca.limits);
    if (!ca.directory.starts_with("https://") || ca.directory.find(' ') != std::string::npos)
        reader.refuse("directory",
                      "found \"" + ca.directory + "\", expected the https:// URL of the CA's directory");
}

}  // namespace certmgr::config
