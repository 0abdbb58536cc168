#include "hal/client/connection.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>

#include "hal/client/messages.h"
#include "hal/error.h"

namespace hal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto retryInterval = std::chrono::milliseconds(10);

Error unreachable(const std::string& socketPath, const std::string& found) {
    return Error(ErrorKind::transient, "keyd-unreachable",
                 "keyd at " + socketPath + " cannot be reached: " + found +
                     "; see that certmgr-keyd runs and that this user may open its socket");
}

std::uint64_t slotOf(int fd) noexcept {
    return static_cast<std::uint64_t>(::getpid()) << 32 | static_cast<std::uint32_t>(fd);
}

sockaddr_un addressOf(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw unreachable(path, "the path is longer than a UNIX socket's may be");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

// keyd is not there, is being restarted, or has its backlog full.
bool worthWaiting(int errnum) {
    return errnum == ENOENT || errnum == ECONNREFUSED || errnum == EAGAIN || errnum == EINTR;
}

// keyd may have refused and closed before it read the request: then its answer is there all the same.
void sendOrHear(int fd, std::string_view request, wire::Deadline deadline) {
    try {
        wire::sendFrame(fd, request, deadline);
    } catch (const Error& error) {
        if (error.code() != "connection-lost") throw;
    }
}

struct WipedText {
    std::string text;
    ~WipedText() { OPENSSL_cleanse(text.data(), text.size()); }
};

}  // namespace

Connection::Connection(std::string socketPath, std::chrono::milliseconds patience,
                       std::chrono::milliseconds timeout)
    : socketPath_(std::move(socketPath)), patience_(patience), timeout_(timeout) {}

Connection::~Connection() {
    for (Slot& slot : idle_)
        if (const std::uint64_t value = slot.exchange(0)) UniqueFd(static_cast<int>(value & 0xffffffff));
}

UniqueFd Connection::takeIdle() noexcept {
    for (Slot& slot : idle_) {
        const std::uint64_t value = slot.load(std::memory_order_relaxed) ? slot.exchange(0) : 0;
        if (value == 0) continue;
        UniqueFd fd(static_cast<int>(value & 0xffffffff));
        if (value == slotOf(fd.get())) return fd;  // else it is the parent's: only our copy is closed
    }
    return UniqueFd();
}

void Connection::keepIdle(UniqueFd fd) noexcept {
    const std::uint64_t value = slotOf(fd.get());
    for (Slot& slot : idle_) {
        std::uint64_t none = 0;
        if (slot.compare_exchange_strong(none, value)) {
            fd.release();
            return;
        }
    }
}

UniqueFd Connection::connect(wire::Deadline giveUp) const {
    const sockaddr_un address = addressOf(socketPath_);
    for (;;) {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd) throwErrno(errno, "socket");
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
        const int found = errno;
        if (!worthWaiting(found) || SteadyClock::now() >= giveUp)
            throw unreachable(socketPath_, std::generic_category().message(found));
        std::this_thread::sleep_for(retryInterval);
    }
}

wire::Message Connection::exchange(std::string_view request) {
    std::optional<wire::Deadline> giveUp;
    for (;;) {
        UniqueFd fd = takeIdle();
        const bool reused = static_cast<bool>(fd);
        if (!reused) fd = connect(giveUp.value_or(SteadyClock::now() + patience_));
        std::string lost = "it closed the connection without an answer";
        try {
            const wire::Deadline deadline = SteadyClock::now() + timeout_;
            sendOrHear(fd.get(), request, deadline);
            if (std::optional<std::string> frame = wire::receiveFrame(fd.get(), deadline)) {
                const WipedText reply{std::move(*frame)};
                wire::Message message = wire::decode(reply.text);
                keepIdle(std::move(fd));
                return message;
            }
        } catch (const Error& error) {
            if (error.code() != "connection-lost") throw unreachable(socketPath_, error.what());
            lost = error.what();
        }
        if (reused) continue;  // keyd was restarted since, or tired of an idle connection
        if (!giveUp) giveUp = SteadyClock::now() + patience_;
        if (SteadyClock::now() >= *giveUp) throw unreachable(socketPath_, lost);
        std::this_thread::sleep_for(retryInterval);
    }
}

std::vector<std::string> Connection::call(wire::Operation operation, const std::vector<std::string>& fields) {
    const WipedText request{wire::encode({static_cast<std::uint8_t>(operation), fields})};
    wire::Message reply = exchange(request.text);
    if (reply.tag == wire::done) return std::move(reply.fields);
    throw wire::errorFrom(reply);
}

}  // namespace hal
