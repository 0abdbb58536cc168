#pragma once

namespace certmgr::ctl {

// certmgrctl(1), whole. Returns the exit status.
int run(int argc, char** argv);

}  // namespace certmgr::ctl
