#include "certmgr/install/installer.h"

#include <algorithm>

#include <grp.h>
#include <openssl/crypto.h>
#include <pwd.h>

#include "hal/client/reference.h"
#include "hal/systemd/command.h"

namespace certmgr::install {
namespace {

[[noreturn]] void refuseName(const std::string& kind, const std::string& name) {
    throw Error(
        ErrorKind::misconfigured, "unknown-user",
        "there is no " + kind + " \"" + name + "\": make it, or correct [install] in the service's profile");
}

// One thread: the plain look-ups do.
deploy::SecretRights rightsOf(const Installation& installation) {
    const passwd* user = ::getpwnam(installation.owner.c_str());
    if (!user) refuseName("user", installation.owner);
    const group* members = ::getgrnam(installation.group.c_str());
    if (!members) refuseName("group", installation.group);
    return {user->pw_uid, members->gr_gid, installation.mode};
}

std::string readLive(const std::filesystem::path& root, const std::string& service,
                     const CertificateId& certificate, std::int64_t generation, const std::string& file) {
    auto folder = deploy::Directory::openOrMake(root).find(service);
    for (const std::string& name : {certificate, std::string("generations"), std::to_string(generation)})
        if (folder) folder = folder->find(name);
    const auto content = folder ? folder->read(file) : std::nullopt;
    if (!content)
        throw Error(ErrorKind::internal, "generation-missing",
                    file + " of generation " + std::to_string(generation) + " of " + certificate + " for " +
                        service + " is not there");
    return *content;
}

struct Wiped {
    std::string& secret;
    ~Wiped() { OPENSSL_cleanse(secret.data(), secret.size()); }
};

std::string replaced(std::string text, const std::string& word, const std::string& value) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += value.size())
        text.replace(at, word.size(), value);
    return text;
}

}  // namespace

Installer::Installer(const config::Settings& settings, const ServiceProfile& profile, hal::KeyStore& keys)
    : stateRoot_(settings.stateDirectory / "live"),
      installRoot_(settings.installDirectory),
      profile_(profile),
      keys_(keys),
      live_(stateRoot_),
      installed_(installRoot_, rightsOf(profile.installation.value())) {}

void Installer::run() {
    for (const CertificateSpec& spec : profile_.certificates) {
        const auto generation = live_.active(profile_.name, spec.id);
        if (!generation) continue;  // none was issued yet
        if (profile_.keyForm == KeyForm::file) installKeyFile(spec.id, *generation);
        load(spec.id);
    }
    if (profile_.keyForm == KeyForm::file) removeOthers();
}

void Installer::installKeyFile(const CertificateId& certificate, std::int64_t generation) {
    const auto wanted = live_.chainSha256(profile_.name, certificate, generation);
    if (wanted.empty() || installed_.chainSha256(profile_.name, certificate, generation) != wanted) {
        const auto live = [&](const std::string& file) {
            return readLive(stateRoot_, profile_.name, certificate, generation, file);
        };
        const hal::KeyReference reference = hal::keyReferenceFromPem(live("key.pem"));
        deploy::Item item;
        item.credential.certificate = certificate;
        item.credential.generation = generation;
        item.credential.key = reference.id;
        item.credential.chainPem = live("fullchain.pem");
        item.subjectPublicKeyInfo = reference.publicKey;
        item.format = profile_.format;
        item.keyReferencePem = keys_.release(reference.id);
        const Wiped wiped{item.keyReferencePem};
        installed_.write(profile_.name, item);
    }
    const auto before = installed_.active(profile_.name, certificate);
    installed_.activate(profile_.name, certificate, generation);
    installed_.prune(profile_.name, certificate, {before.value_or(generation)});
}

void Installer::load(const CertificateId& certificate) const {
    const std::filesystem::path& root = profile_.keyForm == KeyForm::file ? installRoot_ : stateRoot_;
    const std::string directory = root / profile_.name / certificate / "current";
    std::vector<std::string> command = profile_.installation->command;
    if (command.empty()) return;
    for (std::string& word : command)
        word = replaced(replaced(word, "{directory}", directory), "{certificate}", certificate);
    const hal::CommandResult result =
        hal::runCommand(command, std::chrono::steady_clock::now() + profile_.installation->timeout);
    if (!result.succeeded())
        throw Error(ErrorKind::misconfigured, "install-failed", hal::describe(command, result));
}

// Keys of certificates that the profile no longer names are nobody's.
void Installer::removeOthers() const {
    const auto folder = deploy::Directory::openOrMake(installRoot_).find(profile_.name);
    if (!folder) return;
    for (const std::string& name : folder->names())
        if (std::ranges::none_of(profile_.certificates,
                                 [&](const CertificateSpec& spec) { return spec.id == name; }))
            installed_.removeCertificate(profile_.name, name);
}

}  // namespace certmgr::install
