// certmgr-install SERVICE: what certmgrd may not do itself. Run by certmgr-install@SERVICE.service.
#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "certmgr/install/installer.h"
#include "hal/client/keyd_client.h"

namespace {

using namespace certmgr;

void bring(const std::string& file, const std::string& service) {
    const config::Settings settings = config::loadSettings(file);
    const std::vector<ServiceProfile> profiles = config::loadProfiles(settings);
    const auto profile = std::ranges::find(profiles, service, &ServiceProfile::name);
    if (profile == profiles.end() || !profile->installation) return install::takeAway(settings, service);
    hal::KeydClient keys(settings.keydSocket, settings.providerModule);
    install::Installer(settings, *profile, keys).run();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Brings the certificates of one service to where only root may write.", "certmgr-install");
    std::string file = "/etc/certmgr/certmgr.toml";
    std::string service;
    app.add_option("--config", file, "settings; see certmgr.toml(5)")
        ->capture_default_str()
        ->check(CLI::ExistingFile);
    app.add_option("service", service, "name of a profile in services.d")->required();
    app.set_version_flag("--version", std::string("certmgr-install ") + CERTMGR_VERSION);
    CLI11_PARSE(app, argc, argv);

    ::prctl(PR_SET_DUMPABLE, 0);  // a core file would hold a key
    ::umask(0022);
    try {
        bring(file, service);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "certmgr-install: %s: %s\n", service.c_str(), error.what());
        return 1;
    }
}
