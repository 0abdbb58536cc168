// HTTP for strangers: one thread, few connections, short patience.
#pragma once

#include <microhttpd.h>

#include "certmgr/responder/challenge_directory.h"

namespace certmgr::responder {

// Serves one listening socket from its own thread until it is destroyed.
class ChallengeServer {
  public:
    ChallengeServer(hal::UniqueFd listening,
                    const ChallengeDirectory& challenges);  // `challenges` outlives it

  private:
    hal::Handle<MHD_Daemon, MHD_stop_daemon> daemon_;
};

}  // namespace certmgr::responder
