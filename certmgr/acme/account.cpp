#include "certmgr/acme/account.h"

#include "certmgr/acme/session.h"

namespace certmgr::acme {

bool hasAccount(Session& session, const std::stop_token& stop) {
    return session.impl().existingAccount(stop).has_value();
}

void changeKey(Session& session, EVP_PKEY& next, const std::stop_token& stop) {
    session.impl().changeKey(next, stop);
}

void deactivate(Session& session, const std::stop_token& stop) {
    session.impl().deactivate(stop);
}

}  // namespace certmgr::acme
