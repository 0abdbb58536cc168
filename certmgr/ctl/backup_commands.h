// The state of the box into a file, and back.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "certmgr/ctl/authority_line.h"

namespace certmgr::ctl {

// Lives as long as the parsed line.
struct BackupArguments {
    std::string file;
    int passphraseFd = -1;  // -1: asked for on the terminal
    bool dryRun = false;
};

void addBackupCommands(CLI::App& app, BackupArguments& arguments, const AddCommand& add);

}  // namespace certmgr::ctl
