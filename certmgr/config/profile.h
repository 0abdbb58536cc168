// One service profile: from its table to the value.
#pragma once

#include <string>

#include <toml++/toml.h>

#include "certmgr/config/settings.h"

namespace certmgr::config {

ServiceProfile readProfile(const std::string& name, const toml::table& document, const Settings& settings);

}  // namespace certmgr::config
