// Makes and destroys keys so that none is ever forgotten: first the id is stored, then the key is made, then
// what became of it is stored. A crash in between leaves a row, by which the next run finds the key or clears
// it away.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "certmgr/core/certificate.h"
#include "certmgr/engine/event_log.h"
#include "certmgr/engine/records.h"
#include "hal/key_store.h"

namespace certmgr::engine {

// Of the kind and in the place that the certificate wants now.
bool isAsWanted(const hal::KeyInfo& key, const CertificateSpec& spec);

// Thread-safe.
class KeyRing {
  public:
    KeyRing(hal::KeyStore& store, Records& records, EventLog& log)
        : store_(store), records_(records), log_(log) {}

    // A fresh id with its row, or that of an earlier try whose key was not made: while the key store is out
    // of reach, tries do not pile up rows. Nobody else may intend for the same purpose meanwhile. Inside a
    // transaction of the caller's the row stands or falls with that.
    KeyId intend(const std::string& purpose);

    // The key of a stored intent: found where an earlier run made it, else made now.
    hal::KeyInfo obtain(const hal::KeyRequest& request);
    // The same without the note that it was made, for a caller who writes that together with what comes next.
    hal::KeyInfo findOrMake(const hal::KeyRequest& request);

    // Lets these users sign with the key, besides those that may already.
    void grant(const KeyId& id, const std::vector<std::string>& users);
    // Lets these users sign with the key, and nobody else.
    void setUsers(const KeyId& id, const std::set<std::string>& users);

    // Destroys the key, then forgets the row; a key that something else still uses is left alone. Errors
    // leave the row for sweep().
    void discard(const KeyId& id);

    // Destroys every key of KeyRepository::unreferenced(). Only while nothing else runs. Those of a state
    // that was replaced stay for discardReplaced(): services hold references to them until they have been
    // brought others.
    void sweep();
    std::vector<KeyId> replaced();
    void discardReplaced();

    hal::KeyStore& store() { return store_; }

  private:
    hal::KeyStore& store_;
    Records& records_;
    EventLog& log_;
};

}  // namespace certmgr::engine
