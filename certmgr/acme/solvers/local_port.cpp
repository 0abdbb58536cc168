#include "certmgr/acme/solvers/local_port.h"

#include <cerrno>

#include <netinet/in.h>
#include <sys/socket.h>

#include "hal/error.h"
#include "hal/handle.h"

namespace certmgr::acme {

bool listensLocally(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const hal::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) hal::throwErrno(errno, "socket");
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace certmgr::acme
