#include <algorithm>
#include <map>
#include <set>

#include "certmgr/config/profile.h"
#include "certmgr/config/settings.h"
#include "certmgr/config/table_reader.h"
#include "certmgr/config/words.h"

namespace certmgr::config {
namespace {

namespace fs = std::filesystem;

using FilesByName = std::map<std::string, fs::path>;

// Masked, as systemd has it.
bool switchedOff(const fs::path& file) {
    std::error_code error;
    if (fs::canonical(file, error) == "/dev/null") return true;
    return fs::is_regular_file(file, error) && fs::file_size(file, error) == 0;
}

// A file of the same name in a later directory takes the place of the earlier one.
FilesByName collect(const std::vector<fs::path>& directories, const std::string& extension) {
    FilesByName result;
    for (const fs::path& directory : directories) {
        std::error_code error;
        fs::directory_iterator entries(directory, error);
        if (error == std::errc::no_such_file_or_directory) continue;
        if (error)
            throw Error(ErrorKind::misconfigured, "bad-config",
                        directory.string() + ": cannot be listed: " + error.message() + "; check its rights");
        for (const fs::directory_entry& entry : entries)
            if (entry.path().extension() == extension && !entry.is_directory())
                result[entry.path().filename().string()] = entry.path();
    }
    std::erase_if(result, [](const auto& file) { return switchedOff(file.second); });
    return result;
}

// Moved, not copied: a copied node forgets the place that it was read at.
void mergeInto(toml::table& target, toml::table&& addition) {
    for (auto&& [key, node] : addition) {
        toml::table* const inner = node.as_table();
        if (toml::node* const present = target.get(key.str()); inner && present && present->is_table())
            mergeInto(*present->as_table(), std::move(*inner));
        else
            node.visit([&, &name = key](auto& value) { target.insert_or_assign(name, std::move(value)); });
    }
}

toml::table readWithDropIns(const fs::path& file, const std::vector<fs::path>& directories) {
    toml::table document = readToml(file);
    std::vector<fs::path> dropInDirectories;
    for (const fs::path& directory : directories)
        dropInDirectories.push_back(directory / (file.filename().string() + ".d"));
    for (const auto& [name, dropIn] : collect(dropInDirectories, ".conf"))
        mergeInto(document, readToml(dropIn));
    return document;
}

[[noreturn]] void refuseContradiction(const std::string& what, const std::string& certificate,
                                      const std::string& first, const std::string& second) {
    throw Error(ErrorKind::misconfigured, "bad-config",
                first + ".toml and " + second + ".toml both ask for " + certificate +
                    ", which they share, with different " + what + "; say the same in both");
}

// Certificates with a module that reads the key itself: for the others, who prefer a TPM, too.
std::set<CertificateId> readFromFiles(const std::vector<ServiceProfile>& profiles) {
    std::set<CertificateId> ids;
    for (const ServiceProfile& profile : profiles)
        if (profile.keyForm == KeyForm::file)
            for (const CertificateSpec& spec : profile.certificates) ids.insert(spec.id);
    return ids;
}

}  // namespace

std::vector<ServiceProfile> loadProfiles(const Settings& settings) {
    std::vector<ServiceProfile> profiles;
    for (const auto& [fileName, file] : collect(settings.serviceDirectories, ".toml")) {
        const std::string name = file.stem().string();
        if (!isPlainName(name))
            throw Error(ErrorKind::misconfigured, "bad-config",
                        file.string() + ": found the file name \"" + fileName +
                            "\", expected letters a-z, digits and hyphens before \".toml\"; rename it");
        profiles.push_back(readProfile(name, readWithDropIns(file, settings.serviceDirectories), settings));
    }
    return profiles;
}

std::vector<CertificateSpec> mergeSpecs(const std::vector<ServiceProfile>& profiles) {
    std::map<CertificateId, std::pair<CertificateSpec, std::string>> merged;
    const std::set<CertificateId> asFiles = readFromFiles(profiles);
    for (const ServiceProfile& profile : profiles)
        for (CertificateSpec spec : profile.certificates) {
            if (spec.keyPolicy == hal::KeyPolicy::preferTpm && asFiles.contains(spec.id))
                spec.keyPolicy = hal::KeyPolicy::file;
            auto& [common, first] = merged.try_emplace(spec.id, spec, profile.name).first->second;
            if (common.keyPolicy != spec.keyPolicy)
                refuseContradiction("key_policy", spec.id, first, profile.name);
            if (common.keyAlgorithm != spec.keyAlgorithm)
                refuseContradiction("key_algorithm", spec.id, first, profile.name);
            if (common.usage != spec.usage) refuseContradiction("usage", spec.id, first, profile.name);
            if (common.acme != spec.acme) refuseContradiction("acme", spec.id, first, profile.name);
            if (common.acmeProfile != spec.acmeProfile)
                refuseContradiction("acme_profile", spec.id, first, profile.name);
            if (common.preferredChain != spec.preferredChain)
                refuseContradiction("preferred_chain", spec.id, first, profile.name);
            common.users.insert(common.users.end(), spec.users.begin(), spec.users.end());
        }
    std::vector<CertificateSpec> result;
    for (auto& [id, entry] : merged) {
        std::vector<std::string>& users = entry.first.users;
        std::sort(users.begin(), users.end());
        users.erase(std::unique(users.begin(), users.end()), users.end());
        result.push_back(std::move(entry.first));
    }
    return result;
}

}  // namespace certmgr::config
