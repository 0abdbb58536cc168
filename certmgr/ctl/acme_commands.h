// certmgrctl acme: the CAs on the net and the accounts there.
#pragma once

#include <CLI/CLI.hpp>

#include "certmgr/ctl/authority_line.h"

namespace certmgr::ctl {

void addAcmeCommands(CLI::App& app, const AddCommand& add);

}  // namespace certmgr::ctl
