// What a program wrote, as far as people may see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certmgr::acme {

struct Secret {
    std::string name;
    std::string value;
};

// The last lines of `output`, of 1000 octets at most, with "$NAME" for each secret. `output`: the end of what
// a program wrote, as of hal::CommandResult, which may begin in the middle of a secret. A secret of fewer
// than four octets is none.
std::string withoutSecrets(std::string_view output, std::vector<Secret> secrets);

}  // namespace certmgr::acme
