#include "certmgr/core/authority_record.h"

#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<AuthorityRole, 2> roles{
    {{AuthorityRole::root, "root"}, {AuthorityRole::issuing, "issuing"}}};

}  // namespace

std::string_view toString(AuthorityRole role) noexcept {
    return hal::wordOf(roles, role);
}

std::optional<AuthorityRole> authorityRoleFrom(std::string_view text) noexcept {
    return hal::valueNamed(roles, text);
}

}  // namespace certmgr
