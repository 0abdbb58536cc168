// The roots of the box's own CA in the trust store of the box, where an administrator wants them there.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "certmgr/deploy/deployer.h"
#include "certmgr/engine/records.h"

namespace certmgr::engine {

// Only root may change the trust store: certmgr-trust.service does, by what `file` says, and is started here.
// Thread-safe; for workers.
class OwnTrust {
  public:
    // `file`: what the unit reads; its folder is there. `systemFile`: the bundle that comes of it.
    OwnTrust(Records& records, deploy::Deployer& deployer, std::filesystem::path file,
             std::filesystem::path systemFile)
        : records_(records),
          deployer_(deployer),
          file_(std::move(file)),
          systemFile_(std::move(systemFile)) {}

    // Durable; bring() does it.
    void want(bool trusted);

    // Makes the trust store as wanted, where it is not: with `rootsPem`, all that are trusted now, or with no
    // root of certmgr's. Throws what ServiceControl throws; Error(misconfigured, "trust-not-taken") where the
    // unit ended well and the bundle is another one nevertheless; and what readSystemTrust() throws.
    void bring(const std::string& rootsPem);

  private:
    bool asWanted(const std::string& content) const;
    void requireTaken(const std::string& rootsPem, bool trusted) const;

    Records& records_;
    deploy::Deployer& deployer_;
    const std::filesystem::path file_;
    const std::filesystem::path systemFile_;
    std::mutex bringing_;
};

}  // namespace certmgr::engine
