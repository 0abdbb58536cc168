// The part of the command line below "certmgrctl authority".
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "certmgr/ctl/authority_commands.h"

namespace certmgr::ctl {

using Action = std::function<void(Client&, const Terminal&)>;
// Adds a subcommand whose action runs after everything was parsed.
using AddCommand =
    std::function<CLI::App*(CLI::App& parent, const char* name, const char* description, Action action)>;

struct AuthorityArguments {
    HolderOptions holder;
    bool server = false;
    bool client = false;
    std::vector<std::string> dns, ip, email, uri;
    std::string file, output, serial, subject;
    std::string reason = "unspecified";
    int passphraseFd = -1;
    std::uint32_t days = 0;
};

void addAuthorityCommands(CLI::App& authority, AuthorityArguments& arguments, const AddCommand& add);

}  // namespace certmgr::ctl
