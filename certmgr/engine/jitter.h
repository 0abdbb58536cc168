#pragma once

namespace certmgr::engine {

// Uniform in [0,1). Any thread.
double jitter();

}  // namespace certmgr::engine
