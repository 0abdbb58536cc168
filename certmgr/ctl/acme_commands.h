// certmgrctl acme: the CAs on the net and the accounts there.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "certmgr/ctl/authority_line.h"

namespace certmgr::ctl {

// Lives as long as the parsed line.
struct AcmeArguments {
    std::string ca;
};

void addAcmeCommands(CLI::App& app, AcmeArguments& arguments, const AddCommand& add);

}  // namespace certmgr::ctl
