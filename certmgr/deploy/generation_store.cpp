#include "certmgr/deploy/generation_store.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/core/error.h"
#include "certmgr/crypto/x509.h"
#include "certmgr/deploy/directory.h"

namespace certmgr::deploy {
namespace {

constexpr std::string_view referenceLabel = "-----BEGIN CERTMGR KEY-----";
constexpr std::string_view endMark = "-----END CERTIFICATE-----\n";
constexpr mode_t publicMode = 0644;
constexpr mode_t unfinishedSecretMode = 0600;
const std::string currentLink = "current";
const std::string generationsName = "generations";

struct File {
    std::string name;
    std::string content;
    bool secret = false;
};
using Files = std::vector<File>;

void requireComponent(const std::string& name) {
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos)
        throw Error(
            ErrorKind::rejected, "bad-name",
            "\"" + name +
                "\" cannot name a directory: expected a name without \"/\" and without a leading dot");
}

bool isReference(const std::string& keyPem) {
    return keyPem.find(referenceLabel) != std::string::npos;
}

// A reference is opaque here, and stands for the public key that came with it.
bool keyFits(const Item& item, const std::string& leafPem) {
    if (!crypto::keyMatches(leafPem, item.subjectPublicKeyInfo)) return false;
    if (isReference(item.keyReferencePem)) return true;
    const auto noPassphrase = [](char*, int, int, void*) { return -1; };
    const hal::Bio bio(
        BIO_new_mem_buf(item.keyReferencePem.data(), static_cast<int>(item.keyReferencePem.size())));
    const hal::Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, noPassphrase, nullptr));
    const bool fits = key && X509_check_private_key(crypto::parseLeafPem(leafPem).get(), key.get()) == 1;
    ERR_clear_error();
    return fits;
}

Files render(const Item& item) {
    if (item.credential.generation <= 0)
        throw Error(
            ErrorKind::internal, "bad-name",
            "a credential of " + item.credential.certificate + " was to be written before it was stored");
    const std::string& chainPem = item.credential.chainPem;
    const std::size_t endOfLeaf = chainPem.find(endMark);
    const std::string leafPem =
        chainPem.substr(0, endOfLeaf == std::string::npos ? endOfLeaf : endOfLeaf + endMark.size());
    if (!keyFits(item, leafPem))
        throw Error(ErrorKind::internal, "pair-mismatch",
                    "the leaf " + item.credential.leaf.sha256 + " of " + item.credential.certificate +
                        " and the key " + item.credential.key.text() +
                        " do not belong together; nothing was written");
    const bool secret = !isReference(item.keyReferencePem);
    Files files{{"fullchain.pem", chainPem},
                {"chain.pem", chainPem.substr(leafPem.size())},
                {"cert.pem", leafPem},
                {"key.pem", item.keyReferencePem, secret}};
    if (item.format == FileFormat::combined)
        files.push_back({"combined.pem", chainPem + item.keyReferencePem, secret});
    if (item.format == FileFormat::keyFirst)
        files.push_back({"combined.pem", item.keyReferencePem + chainPem, secret});
    return files;
}

bool holds(const Directory& generation, const Files& files) {
    return std::ranges::all_of(files,
                               [&](const File& file) { return generation.read(file.name) == file.content; });
}

// Nobody else has it open before it has its owner and its mode: it lies in an unfinished generation.
void hand(const hal::UniqueFd& file, const SecretRights& rights, const std::string& path) {
    constexpr uid_t unchanged = static_cast<uid_t>(-1);
    if (::fchown(file.get(), rights.owner.value_or(unchanged), rights.group.value_or(unchanged)) != 0 ||
        ::fchmod(file.get(), rights.mode) != 0)
        hal::throwErrno(errno, "give " + path + " its owner and rights");
}

void fill(const Directory& generation, const Files& files, const SecretRights& rights) {
    std::vector<hal::UniqueFd> written;
    for (const File& file : files) {
        written.push_back(
            generation.write(file.name, file.content, file.secret ? unfinishedSecretMode : publicMode));
        if (file.secret) hand(written.back(), rights, generation.pathOf(file.name));
    }
    // All are written before the first is flushed: a journalling file system then commits once.
    for (std::size_t i = 0; i < files.size(); ++i) syncFile(written[i], generation.pathOf(files[i].name));
    generation.sync();
    if (!holds(generation, files))
        throw Error(ErrorKind::internal, "write-damaged",
                    generation.pathOf("") + " does not read back as it was written; check the disk");
}

void publish(const Directory& generations, const std::string& unfinished, const std::string& name) {
    if (generations.find(name)) {
        generations.exchange(unfinished, name);
        generations.sync();
        generations.remove(unfinished);
    } else {
        generations.rename(unfinished, name);
        generations.sync();
    }
}

std::optional<std::int64_t> generationFrom(std::string_view name) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || number <= 0) return std::nullopt;
    return number;
}

std::optional<Directory> findCertificate(const std::filesystem::path& root, const std::string& service,
                                         const CertificateId& certificate) {
    requireComponent(service);
    requireComponent(certificate);
    const auto folder = Directory::openOrMake(root).find(service);
    return folder ? folder->find(certificate) : std::nullopt;
}

std::optional<std::int64_t> activeIn(const Directory& certificate) {
    const auto target = certificate.linkTarget(currentLink);
    const std::string prefix = generationsName + "/";
    if (!target || !target->starts_with(prefix)) return std::nullopt;
    return generationFrom(std::string_view(*target).substr(prefix.size()));
}

}  // namespace

GenerationStore::GenerationStore(std::filesystem::path root, SecretRights rights)
    : root_(std::move(root)), rights_(rights) {}

void GenerationStore::write(const std::string& service, const Item& item) const {
    requireComponent(service);
    requireComponent(item.credential.certificate);
    const Files files = render(item);
    const Directory generations =
        Directory::openOrMake(root_).make(service).make(item.credential.certificate).make(generationsName);
    const std::string name = std::to_string(item.credential.generation);
    const std::string unfinished = "." + name + ".tmp";
    generations.remove(unfinished);
    if (const auto there = generations.find(name); there && holds(*there, files)) {
        generations.sync();  // an earlier run may have been killed between its rename and its flush
        return;
    }
    try {
        fill(generations.make(unfinished), files, rights_);
        publish(generations, unfinished, name);
    } catch (const Error&) {
        try {
            generations.remove(unfinished);  // gives a full disk its room back
        } catch (const Error&) {             // the first error says more; the next write() removes the rest
        }
        throw;
    }
}

void GenerationStore::activate(const std::string& service, const CertificateId& certificate,
                               std::int64_t generation) const {
    const auto folder = findCertificate(root_, service, certificate);
    const std::string number = std::to_string(generation);
    if (chainSha256(service, certificate, generation).empty())
        throw Error(
            ErrorKind::internal, "generation-missing",
            "generation " + number + " of " + certificate + " for " + service + " is not whole on the disk");
    if (activeIn(*folder) != generation) {
        const std::string fresh = ".current.tmp";
        folder->remove(fresh);
        folder->link(generationsName + "/" + number, fresh);
        folder->rename(fresh, currentLink);
    }
    folder->sync();
}

std::optional<std::int64_t> GenerationStore::active(const std::string& service,
                                                    const CertificateId& certificate) const {
    const auto folder = findCertificate(root_, service, certificate);
    return folder ? activeIn(*folder) : std::nullopt;
}

std::vector<std::string> GenerationStore::chainSha256(const std::string& service,
                                                      const CertificateId& certificate,
                                                      std::int64_t generation) const {
    const auto folder = findCertificate(root_, service, certificate);
    const auto generations = folder ? folder->find(generationsName) : std::nullopt;
    const auto files = generations ? generations->find(std::to_string(generation)) : std::nullopt;
    const auto pem = files ? files->read("fullchain.pem") : std::nullopt;
    if (!pem || !files->read("key.pem")) return {};
    try {
        return crypto::chainSha256(*pem);
    } catch (const Error&) {
        return {};
    }
}

void GenerationStore::prune(const std::string& service, const CertificateId& certificate,
                            const std::vector<std::int64_t>& keep) const {
    const auto folder = findCertificate(root_, service, certificate);
    const auto generations = folder ? folder->find(generationsName) : std::nullopt;
    if (!generations) return;
    const auto active = activeIn(*folder);
    for (const std::string& name : generations->names()) {
        const auto number = generationFrom(name);
        if (number && (number == active || std::ranges::find(keep, *number) != keep.end())) continue;
        generations->remove(name);
    }
    generations->sync();
}

void GenerationStore::removeCertificate(const std::string& service, const CertificateId& certificate) const {
    const auto folder = findCertificate(root_, service, certificate);
    if (!folder) return;
    folder->remove(currentLink);  // first, so that it never points at half a generation
    const Directory parent = Directory::openOrMake(root_).make(service);
    parent.remove(certificate);
    parent.sync();
}

}  // namespace certmgr::deploy
