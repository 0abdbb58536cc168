#include "hal/keyd/server.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "hal/client/frame_io.h"
#include "hal/client/messages.h"
#include "hal/error.h"
#include "hal/keyd/log.h"
#include "hal/keyd/secret.h"

namespace hal::keyd {
namespace {

constexpr auto frameTime = std::chrono::seconds(10);  // for a request that has begun, and for a reply
constexpr int idleMilliseconds = 60'000;
constexpr int backlog = 512;

void wipeFields(wire::Message& message) {
    for (std::string& field : message.fields) wipe(field);
}

void send(int fd, wire::Message reply) {
    std::string frame = wire::encode(reply);
    wipeFields(reply);
    const auto deadline = std::chrono::steady_clock::now() + frameTime;
    try {
        wire::sendFrame(fd, frame, deadline);
    } catch (const Error&) {
        wipe(frame);
        throw;
    }
    wipe(frame);
}

// Without waiting: whoever is refused must not cost anything.
void refuse(int fd) {
    const std::string frame = wire::encode(wire::replyOf(Error(
        ErrorKind::transient, "keyd-busy", "keyd has as many connections as it serves at once: try again")));
    ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool awaitRequest(int fd) {
    pollfd entry{fd, POLLIN, 0};
    int ready = 0;
    do ready = ::poll(&entry, 1, idleMilliseconds);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

std::string describe(const Peer& peer) {
    return "user " + std::to_string(peer.uid) + ", process " + std::to_string(peer.pid);
}

// For the day on which a private key turns up where it should not be: whom it went to.
void logTaken(const Peer& peer, const wire::Message& request) {
    const auto operation = static_cast<wire::Operation>(request.tag);
    if (operation == wire::Operation::release || operation == wire::Operation::exportWrapped)
        log(Priority::notice, describe(peer) + ": takes out key " + request.fields[0]);
}

wire::Message answerOrError(Dispatcher& dispatcher, const wire::Message& request, bool& logged) {
    try {
        wire::Message reply = dispatcher.answer(request);
        logTaken(dispatcher.peer(), request);
        return reply;
    } catch (const Error& error) {
        const bool denied = error.code() == "access-denied";
        if ((denied && !std::exchange(logged, true)) || error.kind() == ErrorKind::internal)
            log(denied ? Priority::notice : Priority::error,
                describe(dispatcher.peer()) + ": " + error.code() + ": " + error.what());
        return wire::replyOf(error);
    } catch (const std::exception& error) {
        log(Priority::error, describe(dispatcher.peer()) + ": " + error.what());
        return wire::replyOf(
            Error(ErrorKind::internal, "keyd-failed", "keyd could not do that: see its log"));
    }
}

}  // namespace

Server::Server(UniqueFd listener, KeyService& service, std::set<uid_t> managers, std::set<uid_t> installers)
    : listener_(std::move(listener)),
      service_(service),
      managers_(std::move(managers)),
      installers_(std::move(installers)),
      admission_({}) {}

Server::~Server() {
    for (const Client& client : clients_) ::shutdown(client.fd.get(), SHUT_RD);
    for (Client& client : clients_) client.thread.join();
}

void Server::run(int stop) {
    std::array<pollfd, 2> events{pollfd{listener_.get(), POLLIN, 0}, pollfd{stop, POLLIN, 0}};
    for (;;) {
        if (::poll(events.data(), events.size(), -1) < 0) {
            if (errno == EINTR) continue;
            throwErrno(errno, "poll");
        }
        if (events[1].revents != 0) return;
        accept();
        reap();
    }
}

void Server::accept() {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) {
        // EMFILE and the like: the connection stays in the backlog, and poll() would return at once.
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return;
    }
    try {
        Peer peer = peerOf(fd.get());
        const Role role{managers_.contains(peer.uid), installers_.contains(peer.uid)};
        const bool manager = role.manager;
        if (!admission_.enter(peer.uid, manager)) return refuse(fd.get());
        const uid_t uid = peer.uid;
        Client& client = clients_.emplace_back();
        client.fd = std::move(fd);
        try {
            client.thread = std::thread(
                [this, &client, manager, dispatcher = Dispatcher(service_, std::move(peer), role)] {
                    serve(client, dispatcher);
                    admission_.leave(dispatcher.peer().uid, manager);
                    client.ended = true;
                });
        } catch (const std::system_error&) {
            admission_.leave(uid, manager);
            refuse(client.fd.get());
            clients_.pop_back();
        }
    } catch (const Error& error) {
        log(Priority::warning, error.what());
    }
}

void Server::serve(Client& client, Dispatcher dispatcher) {
    const int fd = client.fd.get();
    try {
        for (bool logged = false; awaitRequest(fd) && serveOne(fd, dispatcher, logged);) {
        }
    } catch (const std::exception&) {
        // The peer broke the protocol, was too slow or went away: nobody is left to be told.
    }
    ::shutdown(fd, SHUT_RDWR);  // the descriptor itself is closed by reap()
}

bool Server::serveOne(int fd, Dispatcher& dispatcher, bool& logged) const {
    std::optional<std::string> frame;
    wire::Message request;
    try {
        frame = wire::receiveFrame(fd, std::chrono::steady_clock::now() + frameTime);
        if (!frame) return false;
        request = wire::decode(*frame);
        wipe(*frame);
    } catch (const Error& error) {
        if (error.code() == "bad-message") send(fd, wire::replyOf(error));
        return false;
    }
    wire::Message reply = answerOrError(dispatcher, request, logged);
    wipeFields(request);
    send(fd, std::move(reply));
    return true;
}

void Server::reap() {
    clients_.remove_if([](Client& client) {
        if (!client.ended) return false;
        client.thread.join();
        return true;
    });
}

UniqueFd listenAt(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        throw Error(ErrorKind::misconfigured, "bad-socket",
                    "\"" + path + "\" cannot be a UNIX socket: expected a path of 1 to 107 characters");
    std::memcpy(address.sun_path, path.data(), path.size());
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), 0666) != 0 || ::listen(fd.get(), backlog) != 0)
        throwErrno(errno, "listen at " + path);
    return fd;
}

}  // namespace hal::keyd
