// Which object a person means.
#pragma once

#include <string>

#include "certmgr/ctl/client.h"

namespace certmgr::ctl {

// The id itself, or a name that only one certificate has. Failure(notFound) says what there is.
std::string findCertificate(const ObjectMap& certificates, const std::string& text);

}  // namespace certmgr::ctl
