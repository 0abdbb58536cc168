#include "certmgr/engine/jitter.h"

#include <random>

namespace certmgr::engine {

double jitter() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace certmgr::engine
