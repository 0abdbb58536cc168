#include "hal/keyd/key_service.h"

#include <algorithm>

#include "hal/error.h"
#include "hal/keyd/key_export.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

constexpr std::size_t cachedKeys = 1024;
constexpr std::size_t longestLabel = 255;
constexpr std::size_t longestName = 64;
constexpr std::size_t mostNames = 64;

bool printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void checkNames(const std::vector<std::string>& names) {
    const auto bad = [](const std::string& name) {
        return name.empty() || name.size() > longestName || !printable(name);
    };
    if (names.size() > mostNames || std::any_of(names.begin(), names.end(), bad))
        throw Error(ErrorKind::rejected, "bad-request",
                    "an access list may name up to 64 users and 64 groups, each of 1 to 64 characters");
}

void checkAccess(const AccessList& access) {
    checkNames(access.users);
    checkNames(access.groups);
}

// Of a KeyRequest and of the KeyInfo that comes out of a backup.
template <class Key>
void checkWords(const Key& key) {
    if (key.label.size() > longestLabel || !printable(key.label))
        throw Error(ErrorKind::rejected, "bad-request",
                    "a label is at most 255 bytes long and has no control characters");
    checkAccess(key.access);
}

KeyMaterial materialOf(const KeyFile& file) {
    return {file.info.publicKey, file.stored, nullptr};
}

// What the TPM cannot do now. A defect, or a full disk, would meet a file key as well.
bool fallsBack(const Error& error) {
    return error.kind() != ErrorKind::internal;
}

std::size_t weightOf(const KeyInfo& info) {
    std::size_t weight = 256 + info.reason.size() + info.publicKey.size() + info.label.size();
    for (const std::string& name : info.access.users) weight += name.size() + 1;
    for (const std::string& name : info.access.groups) weight += name.size() + 1;
    return weight;
}

BackendHealth healthOf(KeyBackend which, Backend& backend) {
    try {
        backend.check();
        return {which, true, "ok", "keys can be made and used"};
    } catch (const Error& error) {
        return {which, false, error.code(), error.what()};
    }
}

}  // namespace

KeyService::KeyService(std::filesystem::path directory, std::string tcti)
    : directory_(std::move(directory)),
      tpm_(std::move(tcti)),
      file_(directory_),
      sealed_(tpm_, directory_),
      tpmBackend_(tpm_),
      cache_(cachedKeys) {}

Backend& KeyService::backend(KeyBackend which) {
    switch (which) {
        case KeyBackend::tpm:
            return tpmBackend_;
        case KeyBackend::sealed:
            return sealed_;
        case KeyBackend::file:
            break;
    }
    return file_;
}

KeyFile KeyService::prepare(const KeyRequest& request) const {
    checkWords(request);
    if (directory_.contains(request.id))
        throw Error(ErrorKind::rejected, "key-exists",
                    "a key " + request.id.text() + " exists; keys are never overwritten, choose a fresh id");
    KeyFile file;
    file.info.id = request.id;
    file.info.algorithm = request.algorithm;
    file.info.reasonCode = "as-asked";
    file.info.reason =
        "the policy " + std::string(toString(request.policy)) + " was asked for and could be met";
    file.info.access = request.access;
    file.info.label = request.label;
    file.info.created = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return file;
}

std::unique_ptr<SigningKey> KeyService::makeIn(KeyBackend which, KeyFile& file) {
    KeyMaterial material = backend(which).make(file.info.id, file.info.algorithm);
    file.info.backend = which;
    file.info.publicKey = std::move(material.publicKey);
    file.stored = std::move(material.stored);
    return std::move(material.ready);
}

KeyInfo KeyService::create(const KeyFile& file, std::unique_ptr<SigningKey> ready) {
    const std::uint64_t generation = cache_.find(file.info.id).generation;
    directory_.create(file);
    if (ready)
        cache_.insert(file.info.id,
                      std::make_shared<const CachedKey>(CachedKey{file.info.access, std::move(ready)}),
                      generation);
    return file.info;
}

KeyInfo KeyService::make(const KeyRequest& request) {
    KeyFile file = prepare(request);
    std::unique_ptr<SigningKey> ready;
    switch (request.policy) {
        case KeyPolicy::tpm:
            ready = makeIn(KeyBackend::tpm, file);
            break;
        case KeyPolicy::sealed:
            ready = makeIn(KeyBackend::sealed, file);
            break;
        case KeyPolicy::file:
            ready = makeIn(KeyBackend::file, file);
            break;
        case KeyPolicy::preferTpm:
            try {
                ready = makeIn(KeyBackend::tpm, file);
            } catch (const Error& error) {
                if (!fallsBack(error)) throw;
                ready = makeIn(KeyBackend::file, file);
                file.info.reasonCode = error.code();
                file.info.reason =
                    std::string("a TPM key was preferred and could not be made: ") + error.what();
            }
            break;
    }
    return create(file, std::move(ready));
}

KeyInfo KeyService::import(const KeyRequest& request, std::string_view pem) {
    KeyFile file = prepare(request);
    Pkey key = keyFromPem(pem);
    file.info.algorithm = algorithmOf(key);
    checkConsistency(key);
    if (request.policy == KeyPolicy::tpm) file.info.backend = KeyBackend::tpm;
    if (request.policy == KeyPolicy::sealed) file.info.backend = KeyBackend::sealed;
    if (request.policy == KeyPolicy::preferTpm) {
        file.info.reasonCode = "imported";
        file.info.reason = "a TPM key was preferred, but a key that was made elsewhere cannot become one";
    }
    KeyMaterial material = backend(file.info.backend).import(request.id, std::move(key));
    file.info.publicKey = std::move(material.publicKey);
    file.stored = std::move(material.stored);
    return create(file, std::move(material.ready));
}

std::optional<KeyInfo> KeyService::find(const KeyId& id) {
    if (std::optional<KeyFile> file = directory_.load(id)) return std::move(file->info);
    return std::nullopt;
}

std::vector<KeyInfo> KeyService::list(std::string_view after, std::size_t weight) {
    std::vector<KeyInfo> page;
    std::size_t gathered = 0;
    for (const KeyId& id : directory_.ids()) {
        if (id.text() <= after) continue;
        if (gathered >= weight) break;
        try {
            if (auto info = find(id)) {
                gathered += weightOf(*info);
                page.push_back(*std::move(info));
            }
        } catch (const Error& error) {
            if (error.code() != "key-damaged") throw;
        }
    }
    return page;
}

std::vector<KeyId> KeyService::damagedKeys() const {
    std::vector<KeyId> damaged;
    for (const KeyId& id : directory_.ids()) {
        try {
            directory_.load(id);
        } catch (const Error&) {
            damaged.push_back(id);
        }
    }
    return damaged;
}

KeyFile KeyService::require(const KeyId& id) const {
    if (std::optional<KeyFile> file = directory_.load(id)) return *std::move(file);
    throw Error(ErrorKind::rejected, "key-not-found", "there is no key " + id.text());
}

std::shared_ptr<const CachedKey> KeyService::keyFor(const KeyId& id) {
    const KeyCache::Lookup lookup = cache_.find(id);
    if (lookup.key) return lookup.key;
    const KeyFile file = require(id);
    const auto key = std::make_shared<const CachedKey>(
        CachedKey{file.info.access, backend(file.info.backend).load(id, materialOf(file))});
    cache_.insert(id, key, lookup.generation);
    return key;
}

void KeyService::setAccess(const KeyId& id, const AccessList& access) {
    checkAccess(access);
    const std::lock_guard lock(changing_);
    KeyFile file = require(id);
    file.info.access = access;
    directory_.replace(file);
    cache_.forget(id);  // what connections remember of the old list hangs on the object in the cache
}

bool KeyService::destroy(const KeyId& id) {
    const std::lock_guard lock(changing_);
    const bool existed = directory_.remove(id);
    cache_.forget(id);
    return existed;
}

std::string KeyService::release(const KeyId& id, Release release) {
    const std::lock_guard lock(changing_);
    KeyFile file = require(id);
    if (file.info.released && release == Release::once)
        throw Error(ErrorKind::rejected, "already-released",
                    "key " + id.text() + " was handed out once already: reissue with a new key");
    const SecretBytes pkcs8 = backend(file.info.backend).release(id, materialOf(file));
    if (file.info.released) return privatePem(pkcs8);
    file.info.released = true;
    directory_.replace(
        file);  // before the key goes out: a crash in between loses the one chance, not the "once"
    return privatePem(pkcs8);
}

Bytes KeyService::exportWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey) {
    return exportKeyFile(require(id), wrappingKey);
}

KeyInfo KeyService::importWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                                  std::span<const std::uint8_t> wrapped) {
    KeyFile file = importKeyFile(id, wrappingKey, wrapped);
    checkWords(file.info);
    const std::lock_guard lock(changing_);
    try {
        if (std::optional<KeyFile> present = directory_.load(id);
            present && present->info.publicKey == file.info.publicKey)
            return std::move(present->info);
    } catch (const Error& error) {
        if (error.code() != "key-damaged") throw;
        directory_.replace(file);
        cache_.forget(id);
        return file.info;
    }
    directory_.create(file);
    return file.info;
}

std::vector<BackendHealth> KeyService::health() {
    std::vector<BackendHealth> health;
    for (const auto which : {KeyBackend::tpm, KeyBackend::sealed, KeyBackend::file})
        health.push_back(healthOf(which, backend(which)));
    return health;
}

}  // namespace hal::keyd
