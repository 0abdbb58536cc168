// certmgrctl authority: each ends normally or with a Failure.
#pragma once

#include <optional>
#include <string>

#include "certmgr/ctl/commands.h"

namespace certmgr::ctl {

// `output` empty: standard output.
void signRequest(Client& client, const Terminal& terminal, const HolderOptions& holder,
                 const std::string& request, const std::string& output);
void issueBundle(Client& client, const Terminal& terminal, const HolderOptions& holder,
                 std::optional<int> passphraseFd, const std::string& output);
void listIssued(Client& client, const Terminal& terminal);
void revokeIssued(Client& client, const Terminal& terminal, const std::string& serial,
                  const std::string& reason);

void generateAuthority(Client& client, const Terminal& terminal, const std::string& subject,
                       std::uint32_t days);
void importAuthority(Client& client, const Terminal& terminal, const std::string& file);
void requestAuthority(Client& client, const Terminal& terminal, const std::string& output);
void installAuthority(Client& client, const Terminal& terminal, const std::string& file);
void reissueAuthority(Client& client, const Terminal& terminal);

enum class Published { trustBundle, revocationLists };
void downloadPublished(Client& client, const Terminal& terminal, Published what, const std::string& output);

// What the box trusts.
void listSystemTrust(Client& client, const Terminal& terminal);
void trustOwnRoots(Client& client, const Terminal& terminal, bool trusted);

}  // namespace certmgr::ctl
