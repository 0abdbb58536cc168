// The socket: accepts, admits, and gives each connection a thread.
#pragma once

#include <atomic>
#include <list>
#include <set>
#include <thread>

#include "hal/keyd/admission.h"
#include "hal/keyd/dispatcher.h"

namespace hal::keyd {

class Server {
  public:
    Server(UniqueFd listener, KeyService& service, std::set<uid_t> managers, std::set<uid_t> installers);
    ~Server();  // ends all connections, each after the request it is at

    // Until `stop` becomes readable.
    void run(int stop);

  private:
    struct Client {
        UniqueFd fd;
        std::atomic<bool> ended = false;
        std::thread thread;
    };

    void accept();
    void serve(Client& client, Dispatcher dispatcher);
    bool serveOne(int fd, Dispatcher& dispatcher, bool& logged) const;
    void reap();

    UniqueFd listener_;
    KeyService& service_;
    const std::set<uid_t> managers_;
    const std::set<uid_t> installers_;
    Admission admission_;
    std::list<Client> clients_;  // of the thread in run()
};

// A listening socket at `path`, in the place of a dead keyd's. Anybody may connect: rights are the peer's.
UniqueFd listenAt(const std::string& path);

}  // namespace hal::keyd
