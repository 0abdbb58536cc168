// One peer's requests, checked against its rights and turned into calls of the service.
#pragma once

#include <map>

#include "hal/client/wire.h"
#include "hal/keyd/access.h"
#include "hal/keyd/key_service.h"

namespace hal::keyd {

// What a peer may do besides signing with the keys whose access list names it.
struct Role {
    bool manager = false;  // everything
    bool installer =
        false;  // take out file keys, any number of times: a service that reads its key reads it anew
};

// One for each connection. Threads: one.
class Dispatcher {
  public:
    Dispatcher(KeyService& service, Peer peer, Role role)
        : service_(service), peer_(std::move(peer)), role_(role) {}

    // The reply to one request; an Error for what is refused or fails.
    wire::Message answer(const wire::Message& request);

    const Peer& peer() const noexcept { return peer_; }

  private:
    wire::Message manage(wire::Operation operation, const std::vector<std::string>& fields);
    wire::Message sign(const std::vector<std::string>& fields);
    std::shared_ptr<const CachedKey> keyToSignWith(const KeyId& id);

    KeyService& service_;
    const Peer peer_;
    const Role role_;
    // Names are looked up once a connection, as long as the cache keeps this very object: a new access list
    // makes a new one.
    std::map<KeyId, std::weak_ptr<const CachedKey>> allowed_;
};

}  // namespace hal::keyd
