#include "certmgr/install/installer.h"

#include <algorithm>

#include <grp.h>
#include <openssl/crypto.h>
#include <pwd.h>

#include "certmgr/config/words.h"
#include "certmgr/crypto/public_pem.h"
#include "hal/client/reference.h"
#include "hal/systemd/command.h"

namespace certmgr::install {
namespace {

// No service has such a name.
constexpr const char* authorityFolder = ".authority";
constexpr mode_t publicMode = 0644;

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
    if (profile_.clientCrl) copyAuthorities();
    for (const CertificateSpec& spec : profile_.certificates) {
        const auto generation = live_.active(profile_.name, spec.id);
        if (!generation) continue;  // none was issued yet
        if (profile_.keyForm == KeyForm::file) installKeyFile(spec.id, *generation);
        load(spec.id);
    }
    if (profile_.keyForm == KeyForm::file) removeOthers();
}

// The folder that certmgrd publishes them in may be a link to anything, were it not certmgrd's any more.
void Installer::copyAuthorities() const {
    const auto published = deploy::Directory::openOrMake(stateRoot_.parent_path()).find("authority");
    if (!published) return;
    const deploy::Directory copies = deploy::Directory::openOrMake(installRoot_).make(authorityFolder);
    if (const auto authorities = published->read("client-ca.pem"))
        copies.replace("client-ca.pem", crypto::certificatesOf(*authorities), publicMode);
    if (const auto lists = published->read("crl.pem"))
        copies.replace("crl.pem", crypto::revocationListsOf(*lists), publicMode);
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
        word = replaced(replaced(replaced(word, "{directory}", directory), "{certificate}", certificate),
                        "{authority}", installRoot_ / authorityFolder);
    const hal::CommandResult result =
        hal::runCommand(command, std::chrono::steady_clock::now() + profile_.installation->timeout);
    if (!result.succeeded())
        // Without its arguments: one may be a password.
        throw Error(ErrorKind::misconfigured, "install-failed", hal::describe({command.front()}, result));
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

void takeAway(const config::Settings& settings, const std::string& service) {
    const auto root = deploy::Directory::openOrMake(settings.installDirectory);
    if (!config::isPlainName(service) || !root.find(service))
        throw Error(ErrorKind::misconfigured, "no-installation",
                    "no profile \"" + service +
                        "\" has key = \"file\" or a table [install], and nothing was laid for it");
    root.remove(service);
    root.sync();
}

}  // namespace certmgr::install
