#include "certmgr/core/authority_record.h"

namespace certmgr {

std::string_view toString(AuthorityRole role) noexcept {
    switch (role) {
        case AuthorityRole::root:
            return "root";
        case AuthorityRole::issuing:
            return "issuing";
    }
    return "";
}

std::optional<AuthorityRole> authorityRoleFrom(std::string_view text) noexcept {
    for (const AuthorityRole role : {AuthorityRole::root, AuthorityRole::issuing})
        if (toString(role) == text) return role;
    return std::nullopt;
}

}  // namespace certmgr
