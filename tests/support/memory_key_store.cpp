#include "tests/support/memory_key_store.h"

#include "hal/client/reference.h"
#include "hal/error.h"
#include "hal/keyd/key_export.h"
#include "hal/keyd/software_key.h"

namespace testing_support {
namespace {

using hal::Error;
using hal::ErrorKind;
using hal::KeyBackend;
using hal::KeyPolicy;

hal::Pkey share(const hal::Pkey& key) {
    EVP_PKEY_up_ref(key.get());
    return hal::Pkey(key.get());
}

Error noTpm() {
    return Error(ErrorKind::misconfigured, "no-tpm", "this key store has no TPM: ask for a file key");
}

}  // namespace

void MemoryKeyStore::setTpm(bool present) {
    const std::lock_guard lock(mutex_);
    tpm_ = present;
}

void MemoryKeyStore::damage(const hal::KeyId& id) {
    const std::lock_guard lock(mutex_);
    require(id).damaged = true;
}

MemoryKeyStore::Entry* MemoryKeyStore::lookUp(const hal::KeyId& id) {
    const auto found = keys_.find(id);
    if (found == keys_.end()) return nullptr;
    if (found->second.damaged)
        throw Error(ErrorKind::internal, "key-damaged", "the key " + id.text() + " is damaged");
    return &found->second;
}

MemoryKeyStore::Entry& MemoryKeyStore::require(const hal::KeyId& id) {
    if (Entry* const entry = lookUp(id)) return *entry;
    throw Error(ErrorKind::rejected, "key-not-found", "there is no key " + id.text());
}

hal::KeyInfo MemoryKeyStore::add(const hal::KeyRequest& request, hal::Pkey key, bool imported) {
    const std::lock_guard lock(mutex_);
    if (keys_.contains(request.id))
        throw Error(ErrorKind::rejected, "key-exists", "key " + request.id.text() + " exists");
    const bool wantsTpm = request.policy == KeyPolicy::tpm || request.policy == KeyPolicy::sealed;
    if (wantsTpm && !tpm_) throw noTpm();
    hal::KeyInfo info{request.id,
                      hal::keyd::algorithmOf(key),
                      KeyBackend::file,
                      "as-asked",
                      "the policy was asked for and could be met",
                      hal::keyd::publicDer(key),
                      request.access,
                      request.label,
                      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                      false};
    if (request.policy == KeyPolicy::sealed) info.backend = KeyBackend::sealed;
    if (request.policy == KeyPolicy::tpm) info.backend = KeyBackend::tpm;
    if (request.policy == KeyPolicy::preferTpm) {
        if (imported) {
            info.reasonCode = "imported";
        } else if (tpm_) {
            info.backend = KeyBackend::tpm;
        } else {
            info.reasonCode = noTpm().code();
            info.reason = noTpm().what();
        }
    }
    keys_.emplace(request.id, Entry{info, std::move(key)});
    return info;
}

hal::KeyInfo MemoryKeyStore::make(const hal::KeyRequest& request) {
    return add(request, hal::keyd::generateKey(request.algorithm), false);
}

hal::KeyInfo MemoryKeyStore::import(const hal::KeyRequest& request, std::string_view pem) {
    hal::Pkey key = hal::keyd::keyFromPem(pem);
    hal::keyd::algorithmOf(key);
    hal::keyd::checkConsistency(key);
    if (request.policy == KeyPolicy::tpm)
        throw Error(ErrorKind::rejected, "not-importable", "a key from outside cannot become a TPM key");
    return add(request, std::move(key), true);
}

std::optional<hal::KeyInfo> MemoryKeyStore::find(const hal::KeyId& id) {
    const std::lock_guard lock(mutex_);
    const Entry* const found = lookUp(id);
    return found ? std::optional(found->info) : std::nullopt;
}

std::vector<hal::KeyInfo> MemoryKeyStore::list() {
    const std::lock_guard lock(mutex_);
    std::vector<hal::KeyInfo> infos;
    for (const auto& [id, entry] : keys_) infos.push_back(entry.info);
    return infos;
}

hal::Bytes MemoryKeyStore::sign(const hal::KeyId& id, hal::SignatureScheme scheme, hal::Hash hash,
                                std::span<const std::uint8_t> digest) {
    hal::keyd::checkDigest(scheme, hash, digest.size());
    return hal::keyd::SoftwareKey(open(id)).sign(scheme, hash, digest);
}

void MemoryKeyStore::setAccess(const hal::KeyId& id, const hal::AccessList& access) {
    const std::lock_guard lock(mutex_);
    require(id).info.access = access;
}

bool MemoryKeyStore::destroy(const hal::KeyId& id) {
    const std::lock_guard lock(mutex_);
    return keys_.erase(id) == 1;
}

std::string MemoryKeyStore::release(const hal::KeyId& id) {
    const std::lock_guard lock(mutex_);
    Entry& entry = require(id);
    if (entry.info.backend == KeyBackend::tpm)
        throw Error(ErrorKind::rejected, "not-releasable", "a TPM key never leaves the TPM");
    if (entry.info.released)
        throw Error(ErrorKind::rejected, "already-released", "the key was handed out once");
    entry.info.released = true;
    return hal::keyd::privatePem(hal::keyd::privateDer(entry.key));
}

hal::Bytes MemoryKeyStore::exportWrapped(const hal::KeyId& id, std::span<const std::uint8_t> wrappingKey) {
    const std::lock_guard lock(mutex_);
    const Entry& entry = require(id);
    return hal::keyd::exportKeyFile({entry.info, hal::keyd::privateDer(entry.key)}, wrappingKey);
}

hal::KeyInfo MemoryKeyStore::importWrapped(const hal::KeyId& id, std::span<const std::uint8_t> wrappingKey,
                                           std::span<const std::uint8_t> wrapped) {
    const hal::keyd::KeyFile file = hal::keyd::importKeyFile(id, wrappingKey, wrapped);
    const std::lock_guard lock(mutex_);
    if (const auto found = keys_.find(id); found != keys_.end() && !found->second.damaged) {
        if (found->second.info.publicKey == file.info.publicKey) return found->second.info;
        throw Error(ErrorKind::rejected, "key-exists", "another key of this id exists");
    }
    keys_.insert_or_assign(id, Entry{file.info, hal::keyd::keyFromPrivateDer(file.stored)});
    return file.info;
}

hal::Pkey MemoryKeyStore::open(const hal::KeyId& id) {
    const std::lock_guard lock(mutex_);
    return share(require(id).key);
}

std::string MemoryKeyStore::reference(const hal::KeyId& id) {
    const std::lock_guard lock(mutex_);
    return hal::toPem({"/nonexistent/memory-key-store", id, require(id).info.publicKey});
}

std::vector<hal::BackendHealth> MemoryKeyStore::health() {
    const std::lock_guard lock(mutex_);
    const auto tpmState = [&](KeyBackend backend) {
        return tpm_ ? hal::BackendHealth{backend, true, "ok", "keys can be made and used"}
                    : hal::BackendHealth{backend, false, noTpm().code(), noTpm().what()};
    };
    return {tpmState(KeyBackend::tpm),
            tpmState(KeyBackend::sealed),
            {KeyBackend::file, true, "ok", "keys can be made and used"}};
}

}  // namespace testing_support
