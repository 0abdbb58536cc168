// org.certmgr1.Acme.
#include "certmgr/ctl/client.h"

namespace certmgr::ctl {
namespace {

constexpr char acme[] = "org.certmgr1.Acme";

}  // namespace

Json Client::acmeAccounts() {
    return readValue(call(newCall("/org/certmgr1", acme, "ListAccounts")).get());
}

}  // namespace certmgr::ctl
