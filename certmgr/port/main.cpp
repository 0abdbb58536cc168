// certmgr-port: opens a port of the packet filter while a CA looks, and closes it. Run by
// certmgr-port@PORT.service.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "certmgr/port/packet_filter.h"

int main(int argc, char** argv) {
    CLI::App app("Opens and closes the ports on which CAs ask, in a set of nftables.", "certmgr-port");
    std::string file = "/etc/certmgr/certmgr.toml";
    std::uint16_t port = 0;
    app.add_option("--config", file, "settings; see certmgr.toml(5)")
        ->capture_default_str()
        ->check(CLI::ExistingFile);
    CLI::App& open = *app.add_subcommand("open", "for the limit of the settings at most");
    CLI::App& close = *app.add_subcommand("close", "at once");
    for (CLI::App* const verb : {&open, &close}) verb->add_option("port", port)->required();
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("certmgr-port ") + CERTMGR_VERSION);
    CLI11_PARSE(app, argc, argv);

    try {
        const certmgr::config::Settings settings = certmgr::config::loadSettings(file);
        const certmgr::port::PacketFilter filter(settings);
        if (open)
            filter.open(port);
        else
            filter.close(port);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "certmgr-port: %s\n", error.what());
        return 1;
    }
}
