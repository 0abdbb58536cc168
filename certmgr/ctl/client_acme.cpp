// org.certmgr1.Acme.
#include <system_error>

#include "certmgr/ctl/client.h"
#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

constexpr char acme[] = "org.certmgr1.Acme";

}  // namespace

Json Client::acmeAccounts() {
    return readValue(call(newCall("/org/certmgr1", acme, "ListAccounts")).get());
}

std::string Client::changeAccountKey(const std::string& ca) {
    return callWithCa("ChangeAccountKey", ca);
}

std::string Client::deactivateAccount(const std::string& ca) {
    return callWithCa("DeactivateAccount", ca);
}

std::string Client::callWithCa(const char* member, const std::string& ca) {
    const Message message = newCall("/org/certmgr1", acme, member);
    const int result = sd_bus_message_append(message.get(), "s", ca.c_str());
    if (result < 0)
        throw Failure(ExitStatus::refused,
                      "a call cannot be made of this: " + std::generic_category().message(-result));
    return startJob(message);
}

}  // namespace certmgr::ctl
