// certmgr.toml and the profiles of services.d: whatever a file says, the answer is settings or an Error that
// says what is wrong with it.
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/mman.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "certmgr/config/profile.h"
#include "certmgr/config/settings.h"
#include "certmgr/core/error.h"

namespace {

using namespace certmgr;

template <class Read>
void expectAnswer(Read read) {
    try {
        read();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
    } catch (const toml::parse_error&) {
        // of the parser used here in place of the file's reader
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const hal::UniqueFd file(::memfd_create("settings", MFD_CLOEXEC));
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        hal::throwErrno(errno, "memfd");
    expectAnswer([&] { config::loadSettings("/proc/self/fd/" + std::to_string(file.get())); });
    expectAnswer([&] { config::readProfile("web", toml::parse(text), config::Settings{}); });
    return 0;
}
