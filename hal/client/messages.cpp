#include "hal/client/messages.h"

#include <array>
#include <charconv>

#include "hal/words.h"

namespace hal::wire {
namespace {

constexpr Words<SignatureScheme, 4> schemes{{{SignatureScheme::ecdsa, "ecdsa"},
                                             {SignatureScheme::rsaPkcs1, "rsa-pkcs1"},
                                             {SignatureScheme::rsaPss, "rsa-pss"},
                                             {SignatureScheme::ed25519, "ed25519"}}};
constexpr Words<Hash, 3> hashes{
    {{Hash::sha256, "sha256"}, {Hash::sha384, "sha384"}, {Hash::sha512, "sha512"}}};

Error badField(std::string_view what) {
    return Error(
        ErrorKind::rejected, "bad-message",
        "the message is not one of keyd's protocol: " + std::string(what) + " is not what was expected");
}

const std::string& at(const std::vector<std::string>& fields, std::size_t position) {
    if (position >= fields.size()) throw badField("the number of fields");
    return fields[position];
}

template <class Value>
Value required(std::optional<Value> value, std::string_view what) {
    if (!value) throw badField(what);
    return *std::move(value);
}

std::string join(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        if (!text.empty()) text += '\n';
        text += name;
    }
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> names;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        names.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return names;
}

std::chrono::sys_seconds timeFrom(const std::string& text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size()) throw badField("the time");
    return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

bool flagFrom(const std::string& text) {
    if (text != "0" && text != "1") throw badField("a flag");
    return text == "1";
}

}  // namespace

std::string_view toString(SignatureScheme scheme) noexcept {
    return wordOf(schemes, scheme);
}

std::string_view toString(Hash hash) noexcept {
    return wordOf(hashes, hash);
}

SignatureScheme signatureSchemeFrom(std::string_view text) {
    if (const auto scheme = valueNamed(schemes, text)) return *scheme;
    throw badField("the signature scheme");
}

Hash hashFrom(std::string_view text) {
    if (const auto hash = valueNamed(hashes, text)) return *hash;
    throw badField("the hash");
}

KeyId keyIdFrom(const std::string& text) {
    return required(KeyId::parse(text), "the key id");
}

void append(std::vector<std::string>& fields, const KeyInfo& info) {
    fields.insert(
        fields.end(),
        {info.id.text(), std::string(hal::toString(info.algorithm)), std::string(hal::toString(info.backend)),
         info.reasonCode, info.reason, std::string(info.publicKey.begin(), info.publicKey.end()),
         join(info.access.users), join(info.access.groups), info.label,
         std::to_string(info.created.time_since_epoch().count()), info.released ? "1" : "0"});
}

KeyInfo keyInfoAt(const std::vector<std::string>& fields, std::size_t position) {
    const auto field = [&](std::size_t index) -> const std::string& { return at(fields, position + index); };
    KeyInfo info;
    info.id = keyIdFrom(field(0));
    info.algorithm = required(keyAlgorithmFrom(field(1)), "the algorithm");
    info.backend = required(keyBackendFrom(field(2)), "the back end");
    info.reasonCode = field(3);
    info.reason = field(4);
    info.publicKey.assign(field(5).begin(), field(5).end());
    info.access = accessListAt(fields, position + 6);
    info.label = field(8);
    info.created = timeFrom(field(9));
    info.released = flagFrom(field(10));
    return info;
}

void append(std::vector<std::string>& fields, const AccessList& access) {
    fields.insert(fields.end(), {join(access.users), join(access.groups)});
}

AccessList accessListAt(const std::vector<std::string>& fields, std::size_t position) {
    return {split(at(fields, position)), split(at(fields, position + 1))};
}

void append(std::vector<std::string>& fields, const KeyRequest& request) {
    fields.insert(fields.end(), {request.id.text(), std::string(hal::toString(request.algorithm)),
                                 std::string(hal::toString(request.policy)), request.label});
    append(fields, request.access);
}

KeyRequest keyRequestAt(const std::vector<std::string>& fields) {
    KeyRequest request;
    request.id = keyIdFrom(at(fields, 0));
    request.algorithm = required(keyAlgorithmFrom(at(fields, 1)), "the algorithm");
    request.policy = required(keyPolicyFrom(at(fields, 2)), "the policy");
    request.label = at(fields, 3);
    request.access = accessListAt(fields, 4);
    return request;
}

void append(std::vector<std::string>& fields, const BackendHealth& health) {
    fields.insert(fields.end(), {std::string(hal::toString(health.backend)), health.usable ? "1" : "0",
                                 health.reasonCode, health.reason});
}

std::vector<BackendHealth> healthFrom(const std::vector<std::string>& fields) {
    std::vector<BackendHealth> backends;
    for (std::size_t i = 0; i < fields.size(); i += 4)
        backends.push_back({required(keyBackendFrom(fields[i]), "the back end"), flagFrom(at(fields, i + 1)),
                            at(fields, i + 2), at(fields, i + 3)});
    return backends;
}

Message replyOf(const Error& error) {
    return {failed, {std::string(hal::toString(error.kind())), error.code(), error.what()}};
}

Error errorFrom(const Message& reply) {
    for (const auto kind : {ErrorKind::transient, ErrorKind::rateLimited, ErrorKind::rejected,
                            ErrorKind::misconfigured, ErrorKind::internal})
        if (reply.tag == failed && hal::toString(kind) == at(reply.fields, 0))
            return Error(kind, at(reply.fields, 1), at(reply.fields, 2));
    throw badField("the answer");
}

}  // namespace hal::wire
