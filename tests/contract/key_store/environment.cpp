#include "tests/contract/key_store/environment.h"

#include <openssl/rsa.h>

#include "hal/client/keyd_client.h"
#include "hal/error.h"
#include "tests/support/keyd_server.h"
#include "tests/support/memory_key_store.h"
#include "tests/support/swtpm.h"

namespace contract {
namespace {

using namespace testing_support;

class InMemory final : public Environment {
  public:
    InMemory() { store_.setTpm(false); }
    hal::KeyStore& keys() override { return store_; }

  private:
    MemoryKeyStore store_;
};

class Keyd final : public Environment {
  public:
    Keyd(bool tpm, bool abrmd) {
        KeydServer::Options options;
        if (tpm) {
            tpm_ = std::make_unique<Swtpm>();
            options.tcti = tpm_->tcti();
        }
        if (abrmd) {
            manager_ = std::make_unique<ResourceManager>(*tpm_);
            options.tcti = manager_->tcti();
            options.environment = manager_->environment();
        }
        server_ = std::make_unique<KeydServer>(options);
        client_ = std::make_unique<hal::KeydClient>(server_->socketPath(), providerModule());
    }
    hal::KeyStore& keys() override { return *client_; }

  private:
    std::unique_ptr<Swtpm> tpm_;
    std::unique_ptr<ResourceManager> manager_;
    std::unique_ptr<KeydServer> server_;
    std::unique_ptr<hal::KeydClient> client_;
};

const EVP_MD* mdOf(hal::Hash hash) {
    if (hash == hal::Hash::sha256) return EVP_sha256();
    return hash == hal::Hash::sha384 ? EVP_sha384() : EVP_sha512();
}

}  // namespace

std::map<Store, std::unique_ptr<Environment>> KeyStoreContract::environments_;

std::string nameOf(Store store) {
    switch (store) {
        case Store::memory:
            return "memory";
        case Store::file:
            return "file";
        case Store::sealed:
            return "sealed";
        case Store::sealedBehindAbrmd:
            return "sealedBehindAbrmd";
        case Store::tpm:
            return "tpm";
        case Store::tpmBehindAbrmd:
            return "tpmBehindAbrmd";
    }
    return "";
}

std::unique_ptr<Environment> environmentFor(Store store) {
    switch (store) {
        case Store::memory:
            return std::make_unique<InMemory>();
        case Store::file:
            return std::make_unique<Keyd>(false, false);
        case Store::sealed:
        case Store::tpm:
            return std::make_unique<Keyd>(true, false);
        case Store::sealedBehindAbrmd:
        case Store::tpmBehindAbrmd:
            break;
    }
    return std::make_unique<Keyd>(true, true);
}

hal::KeyStore& KeyStoreContract::keys() {
    std::unique_ptr<Environment>& environment = environments_[GetParam()];
    if (!environment) environment = environmentFor(GetParam());
    return environment->keys();
}

hal::KeyBackend KeyStoreContract::backend() const {
    switch (GetParam()) {
        case Store::memory:
        case Store::file:
            return hal::KeyBackend::file;
        case Store::sealed:
        case Store::sealedBehindAbrmd:
            return hal::KeyBackend::sealed;
        case Store::tpm:
        case Store::tpmBehindAbrmd:
            break;
    }
    return hal::KeyBackend::tpm;
}

hal::KeyPolicy KeyStoreContract::policy() const {
    return *hal::keyPolicyFrom(hal::toString(backend()));
}

hal::KeyRequest KeyStoreContract::request(hal::KeyAlgorithm algorithm) const {
    return {hal::KeyId::fresh(), algorithm, policy(), {{"www-data"}, {"ssl-cert"}}, "gw.example"};
}

hal::Bytes digest(hal::Hash hash, std::string_view text) {
    hal::Bytes result(static_cast<std::size_t>(EVP_MD_get_size(mdOf(hash))));
    EVP_Digest(text.data(), text.size(), result.data(), nullptr, mdOf(hash), nullptr);
    return result;
}

bool verifies(const hal::Bytes& publicKey, hal::SignatureScheme scheme, hal::Hash hash,
              std::span<const std::uint8_t> digest, const hal::Bytes& signature) {
    const unsigned char* position = publicKey.data();
    const hal::Pkey key(d2i_PUBKEY(nullptr, &position, static_cast<long>(publicKey.size())));
    const hal::PkeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
    if (scheme == hal::SignatureScheme::rsaPss &&
        (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_PKEY_CTX_set_signature_md(context.get(), mdOf(hash)) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
               1;
}

std::string codeOf(const std::function<void()>& call) {
    try {
        call();
        return "";
    } catch (const hal::Error& error) {
        return error.code();
    }
}

}  // namespace contract
