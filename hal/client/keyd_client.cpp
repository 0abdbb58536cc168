#include "hal/client/keyd_client.h"

#include <array>
#include <filesystem>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "hal/client/messages.h"
#include "hal/client/reference.h"
#include "hal/error.h"

namespace hal {
namespace {

using wire::Operation;

// A chip may take a minute for an RSA key.
constexpr auto patience = std::chrono::seconds(2);
constexpr auto timeout = std::chrono::minutes(3);

Error badAnswer() {
    return Error(ErrorKind::internal, "bad-message",
                 "keyd answered something unexpected: it is of another release");
}

const std::string& only(const std::vector<std::string>& fields) {
    if (fields.size() != 1) throw badAnswer();
    return fields.front();
}

Error openFailed(const std::string& what) {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return Error(ErrorKind::misconfigured, "provider-failed",
                 what + (reason ? std::string(": ") + reason : "") +
                     "; see that the OpenSSL provider certmgr.so is installed and of this release");
}

const char* typeOf(KeyAlgorithm algorithm) {
    switch (algorithm) {
        case KeyAlgorithm::ecP256:
        case KeyAlgorithm::ecP384:
            return "EC";
        case KeyAlgorithm::ed25519:
            return "ED25519";
        case KeyAlgorithm::rsa2048:
        case KeyAlgorithm::rsa3072:
        case KeyAlgorithm::rsa4096:
            break;
    }
    return "RSA";
}

struct WipedFields {
    std::vector<std::string> fields;
    ~WipedFields() {
        for (std::string& field : fields) OPENSSL_cleanse(field.data(), field.size());
    }
};

}  // namespace

KeydClient::KeydClient(std::string socketPath, std::string providerModule)
    : connection_(std::move(socketPath), patience, timeout), providerModule_(std::move(providerModule)) {}

KeyInfo KeydClient::make(const KeyRequest& request) {
    std::vector<std::string> fields;
    wire::append(fields, request);
    return wire::keyInfoAt(connection_.call(Operation::make, fields), 0);
}

KeyInfo KeydClient::import(const KeyRequest& request, std::string_view pem) {
    WipedFields wiped;
    wire::append(wiped.fields, request);
    wiped.fields.emplace_back(pem);
    return wire::keyInfoAt(connection_.call(Operation::import, wiped.fields), 0);
}

std::optional<KeyInfo> KeydClient::find(const KeyId& id) {
    const std::vector<std::string> fields = connection_.call(Operation::find, {id.text()});
    if (fields.empty()) return std::nullopt;
    return wire::keyInfoAt(fields, 0);
}

std::vector<KeyInfo> KeydClient::list() {
    std::vector<KeyInfo> keys;
    for (;;) {
        const std::string after = keys.empty() ? "" : keys.back().id.text();
        const std::vector<std::string> fields = connection_.call(Operation::list, {after});
        if (fields.empty()) return keys;
        for (std::size_t i = 0; i < fields.size(); i += wire::keyInfoFields)
            keys.push_back(wire::keyInfoAt(fields, i));
    }
}

Bytes KeydClient::sign(const KeyId& id, SignatureScheme scheme, Hash hash,
                       std::span<const std::uint8_t> digest) {
    const std::vector<std::string> fields = connection_.call(
        Operation::sign, {id.text(), std::string(wire::toString(scheme)), std::string(wire::toString(hash)),
                          std::string(digest.begin(), digest.end())});
    const std::string& signature = only(fields);
    return Bytes(signature.begin(), signature.end());
}

void KeydClient::setAccess(const KeyId& id, const AccessList& access) {
    std::vector<std::string> fields{id.text()};
    wire::append(fields, access);
    connection_.call(Operation::setAccess, fields);
}

bool KeydClient::destroy(const KeyId& id) {
    return only(connection_.call(Operation::destroy, {id.text()})) == "1";
}

std::string KeydClient::release(const KeyId& id) {
    const WipedFields wiped{connection_.call(Operation::release, {id.text()})};
    return only(wiped.fields);
}

Bytes KeydClient::exportWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey) {
    const WipedFields wiped{{id.text(), std::string(wrappingKey.begin(), wrappingKey.end())}};
    const std::vector<std::string> fields = connection_.call(Operation::exportWrapped, wiped.fields);
    const std::string& wrapped = only(fields);
    return Bytes(wrapped.begin(), wrapped.end());
}

KeyInfo KeydClient::importWrapped(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                                  std::span<const std::uint8_t> wrapped) {
    const WipedFields wiped{{id.text(), std::string(wrappingKey.begin(), wrappingKey.end()),
                             std::string(wrapped.begin(), wrapped.end())}};
    return wire::keyInfoAt(connection_.call(Operation::importWrapped, wiped.fields), 0);
}

KeyInfo KeydClient::require(const KeyId& id) {
    if (std::optional<KeyInfo> info = find(id)) return *std::move(info);
    throw Error(ErrorKind::rejected, "key-not-found", "there is no key " + id.text());
}

std::string KeydClient::reference(const KeyId& id) {
    return toPem({std::filesystem::absolute(connection_.socketPath()), id, require(id).publicKey});
}

std::vector<BackendHealth> KeydClient::health() {
    return wire::healthFrom(connection_.call(Operation::health, {}));
}

KeydClient::Provider KeydClient::load(OSSL_LIB_CTX& library, const char* name) {
    Provider provider(OSSL_PROVIDER_load(&library, name));
    if (!provider) throw openFailed(std::string("OpenSSL cannot load its provider ") + name);
    return provider;
}

OSSL_LIB_CTX* KeydClient::library() {
    const std::lock_guard lock(loading_);
    if (certmgr_) return library_.get();
    LibContext library(OSSL_LIB_CTX_new());
    const std::filesystem::path module = providerModule_;
    if (!library || (module.has_parent_path() &&
                     OSSL_PROVIDER_set_default_search_path(library.get(), module.parent_path().c_str()) != 1))
        throw openFailed("OpenSSL cannot make a library context");
    Provider standard = load(*library, "default");
    certmgr_ = load(*library, module.empty() ? "certmgr" : module.stem().c_str());
    default_ = std::move(standard);
    library_ = std::move(library);
    return library_.get();
}

// Not by the PEM text, as a service opens it: OpenSSL 3.0 takes as long to find the decoder as for a
// signature.
Pkey KeydClient::open(const KeyId& id) {
    const KeyInfo info = require(id);
    Bytes der = toDer({std::filesystem::absolute(connection_.socketPath()), id, info.publicKey});
    std::array<OSSL_PARAM, 2> params{
        OSSL_PARAM_construct_octet_string(keyReferenceParameter, der.data(), der.size()),
        OSSL_PARAM_construct_end()};
    const PkeyContext context(
        EVP_PKEY_CTX_new_from_name(library(), typeOf(info.algorithm), "provider=certmgr"));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.data()) <= 0)
        throw openFailed("OpenSSL cannot open the reference to key " + id.text());
    return Pkey(key);
}

}  // namespace hal
