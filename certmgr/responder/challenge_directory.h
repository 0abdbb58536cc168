// The files that certmgrd lays out for a CA to fetch.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "hal/handle.h"

namespace certmgr::responder {

class ChallengeDirectory {
  public:
    explicit ChallengeDirectory(const std::filesystem::path& directory);  // throws where it cannot be opened

    // What is to be answered for the path of a URL; empty: nothing. Only /.well-known/acme-challenge/TOKEN
    // with a TOKEN of base64url, only regular files of at most 4 KiB, no links. Thread-safe.
    std::optional<std::string> find(std::string_view urlPath) const noexcept;

    // What lies there for the server name of a TLS handshake, likewise.
    std::optional<std::string> findForServerName(std::string_view name) const;

  private:
    std::optional<std::string> read(const std::string& file) const noexcept;

    hal::UniqueFd directory_;
};

}  // namespace certmgr::responder
