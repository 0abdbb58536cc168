#pragma once

#include <string>
#include <vector>

#include "hal/port_opener.h"

namespace hal {

// For boxes without systemd, and for packet filters of another kind: runs a command, with "open PORT" or
// "close PORT" behind its arguments. Errors: "port-not-opened", "port-not-closed" (misconfigured),
// "port-timeout" (transient).
class CommandPortOpener : public PortOpener {
  public:
    explicit CommandPortOpener(std::vector<std::string> command) : command_(std::move(command)) {}
    void open(std::uint16_t port) override { change("open", port, "port-not-opened"); }
    void close(std::uint16_t port) override { change("close", port, "port-not-closed"); }

  private:
    void change(const std::string& verb, std::uint16_t port, const std::string& failedCode) const;

    const std::vector<std::string> command_;
};

}  // namespace hal
