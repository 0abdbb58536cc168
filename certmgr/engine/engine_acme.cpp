// The CAs on the net, as the bus asks for them.
#include "certmgr/engine/engine.h"

namespace certmgr::engine {

std::vector<AcmeAccount> Engine::accounts() {
    return acmeIssuer_.accounts();
}

}  // namespace certmgr::engine
