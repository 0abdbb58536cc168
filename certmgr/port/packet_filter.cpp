#include "certmgr/port/packet_filter.h"

#include "hal/systemd/command.h"

namespace certmgr::port {
namespace {

constexpr seconds longestChange{8};
const std::vector<std::string> nft{"nft", "-f", "-"};

hal::CommandResult change(const std::string& script) {
    return hal::runCommand(nft, std::chrono::steady_clock::now() + longestChange, {}, script);
}

bool saysNoSuchSet(const hal::CommandResult& result) {
    return result.output.find("No such file or directory") != std::string::npos &&
           result.end == hal::CommandResult::End::exited;
}

[[noreturn]] void fail(const hal::CommandResult& result) {
    throw Error(ErrorKind::misconfigured, "nft-failed", hal::describe(nft, result));
}

}  // namespace

PacketFilter::PacketFilter(const config::Settings& settings)
    : settings_(settings),
      set_(settings.ports.family + " " + settings.ports.table + " " + settings.ports.set) {}

void PacketFilter::open(std::uint16_t port) const {
    if (port != settings_.httpPort() && port != settings_.tlsPort())
        throw Error(ErrorKind::misconfigured, "not-a-challenge-port",
                    "no CA asks on port " + std::to_string(port) +
                        "; expected challenge_port or tls_challenge_port of [acme]");
    // One transaction. An element that is there keeps its old time: it goes and comes again, without a gap.
    const std::string number = std::to_string(port);
    const std::string lasting = number + " timeout " + std::to_string(settings_.ports.limit.count()) + "s";
    const hal::CommandResult result =
        change("add element " + set_ + " { " + number + " }\ndelete element " + set_ + " { " + number +
               " }\nadd element " + set_ + " { " + lasting + " }\n");
    if (saysNoSuchSet(result))
        throw Error(ErrorKind::misconfigured, "no-port-set",
                    "nftables has no set " + set_ +
                        ": add it, and a rule that accepts the ports in it, as "
                        "/usr/share/certmgr/nftables.conf shows");
    if (!result.succeeded()) fail(result);
}

void PacketFilter::close(std::uint16_t port) const {
    // "delete" alone fails where there is nothing to delete.
    const std::string element = " element " + set_ + " { " + std::to_string(port) + " }\n";
    const hal::CommandResult result = change("add" + element + "delete" + element);
    if (!result.succeeded() && !saysNoSuchSet(result)) fail(result);
}

}  // namespace certmgr::port
