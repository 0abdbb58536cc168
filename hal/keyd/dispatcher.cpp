#include "hal/keyd/dispatcher.h"

#include "hal/client/messages.h"
#include "hal/keyd/software_key.h"

namespace hal::keyd {
namespace {

using wire::Operation;

constexpr std::size_t pageWeight = 128 * 1024;
constexpr std::size_t mostRemembered = 256;

Error badMessage(const std::string& found) {
    return Error(ErrorKind::rejected, "bad-message", "the message is not one of keyd's protocol: " + found);
}

Error denied(const Peer& peer, const std::string& what) {
    return Error(ErrorKind::rejected, "access-denied",
                 "user " + std::to_string(peer.uid) + " may not " + what);
}

std::size_t fieldsOf(Operation operation) {
    switch (operation) {
        case Operation::make:
            return 6;
        case Operation::import:
            return 7;
        case Operation::sign:
            return 4;
        case Operation::setAccess:
        case Operation::importWrapped:
            return 3;
        case Operation::exportWrapped:
            return 2;
        case Operation::health:
            return 0;
        case Operation::find:
        case Operation::list:
        case Operation::destroy:
        case Operation::release:
            return 1;
    }
    throw badMessage("there is no such operation");
}

wire::Message reply(const KeyInfo& info) {
    wire::Message message{wire::done, {}};
    wire::append(message.fields, info);
    return message;
}

std::span<const std::uint8_t> octetsOf(const std::string& field) {
    return {reinterpret_cast<const std::uint8_t*>(field.data()), field.size()};
}

template <class Values>
wire::Message replyAll(const Values& values) {
    wire::Message message{wire::done, {}};
    for (const auto& value : values) wire::append(message.fields, value);
    return message;
}

}  // namespace

wire::Message Dispatcher::answer(const wire::Message& request) {
    const auto operation = static_cast<Operation>(request.tag);
    if (request.fields.size() != fieldsOf(operation)) throw badMessage("it has another number of fields");
    if (operation == Operation::sign) return sign(request.fields);
    if (operation == Operation::release && role_.installer)
        return {wire::done,
                {service_.release(wire::keyIdFrom(request.fields[0]), KeyService::Release::again)}};
    if (!role_.manager) throw denied(peer_, "manage keys: only the managers that keyd was started with may");
    return manage(operation, request.fields);
}

wire::Message Dispatcher::manage(Operation operation, const std::vector<std::string>& fields) {
    switch (operation) {
        case Operation::make:
            return reply(service_.make(wire::keyRequestAt(fields)));
        case Operation::import:
            return reply(service_.import(wire::keyRequestAt(fields), fields[6]));
        case Operation::find: {
            const std::optional<KeyInfo> info = service_.find(wire::keyIdFrom(fields[0]));
            return info ? reply(*info) : wire::Message{wire::done, {}};
        }
        case Operation::list:
            return replyAll(service_.list(fields[0], pageWeight));
        case Operation::setAccess:
            service_.setAccess(wire::keyIdFrom(fields[0]), wire::accessListAt(fields, 1));
            return {wire::done, {}};
        case Operation::destroy:
            return {wire::done, {service_.destroy(wire::keyIdFrom(fields[0])) ? "1" : "0"}};
        case Operation::release:
            return {wire::done, {service_.release(wire::keyIdFrom(fields[0]), KeyService::Release::once)}};
        case Operation::exportWrapped: {
            const Bytes wrapped = service_.exportWrapped(wire::keyIdFrom(fields[0]), octetsOf(fields[1]));
            return {wire::done, {std::string(wrapped.begin(), wrapped.end())}};
        }
        case Operation::importWrapped:
            return reply(
                service_.importWrapped(wire::keyIdFrom(fields[0]), octetsOf(fields[1]), octetsOf(fields[2])));
        case Operation::health:
            return replyAll(service_.health());
        case Operation::sign:
            break;
    }
    return sign(fields);
}

// To others than managers a key that is not theirs and one that does not exist look the same.
std::shared_ptr<const CachedKey> Dispatcher::keyToSignWith(const KeyId& id) {
    if (role_.manager) return service_.keyFor(id);
    const Error refusal = denied(peer_, "sign with key " + id.text() + ", or it does not exist");
    try {
        std::shared_ptr<const CachedKey> key = service_.keyFor(id);
        if (const auto found = allowed_.find(id); found != allowed_.end() && found->second.lock() == key)
            return key;
        if (!names(key->access, peer_)) throw refusal;
        if (allowed_.size() >= mostRemembered) allowed_.clear();
        allowed_[id] = key;
        return key;
    } catch (const Error& error) {
        if (error.code() == "key-not-found") throw refusal;
        throw;
    }
}

wire::Message Dispatcher::sign(const std::vector<std::string>& fields) {
    const SignatureScheme scheme = wire::signatureSchemeFrom(fields[1]);
    const Hash hash = wire::hashFrom(fields[2]);
    const std::shared_ptr<const CachedKey> key = keyToSignWith(wire::keyIdFrom(fields[0]));
    const std::string& digest = fields[3];
    checkDigest(scheme, hash, digest.size());
    const Bytes signature = key->key->sign(scheme, hash, octetsOf(digest));
    return {wire::done, {std::string(signature.begin(), signature.end())}};
}

}  // namespace hal::keyd
