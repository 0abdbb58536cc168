#include "certmgr/bus/sd_bus.h"

#include <cstdlib>
#include <memory>
#include <system_error>

namespace certmgr::bus {
namespace {

using CString = hal::Handle<char, std::free>;

}  // namespace

int check(int result, const char* call) {
    if (result >= 0) return result;
    throw hal::Error(hal::ErrorKind::internal, "bus-failed",
                     std::string(call) + ": " + std::generic_category().message(-result));
}

std::string pathOf(const char* prefix, const std::string& id) {
    char* path = nullptr;
    check(sd_bus_path_encode(prefix, id.c_str(), &path), "sd_bus_path_encode");
    return CString(path).get();
}

std::string idOf(const char* prefix, const std::string& path) {
    char* id = nullptr;
    if (check(sd_bus_path_decode(path.c_str(), prefix, &id), "sd_bus_path_decode") == 0) return {};
    return CString(id).get();
}

}  // namespace certmgr::bus
