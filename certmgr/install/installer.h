// The steps that need root: a key file for a service that cannot work with a reference, and the command that
// loads a certificate into it.
#pragma once

#include "certmgr/config/settings.h"
#include "certmgr/deploy/directory.h"
#include "certmgr/deploy/generation_store.h"
#include "hal/key_store.h"

namespace certmgr::install {

// Trusts the settings and the profile, which are root's, and nothing below the state directory, which is
// certmgrd's: certificates are parsed and written anew, links are not followed, a key must fit its leaf.
class Installer {
  public:
    // `profile.installation` must be there. Error(misconfigured, "unknown-user") for its owner and group.
    Installer(const config::Settings& settings, const ServiceProfile& profile, hal::KeyStore& keys);

    // The CAs and revocation lists for a service that checks clients, and every certificate of it that has an
    // active generation; what is installed already is left alone, but for the command. The first error ends
    // it: "install-failed" (misconfigured) for the command, those of GenerationStore and KeyStore else.
    void run();

  private:
    void copyAuthorities() const;
    void installKeyFile(const CertificateId& certificate, std::int64_t generation);
    void load(const CertificateId& certificate) const;
    void removeOthers() const;

    const std::filesystem::path stateRoot_;
    const std::filesystem::path installRoot_;
    const ServiceProfile& profile_;
    hal::KeyStore& keys_;
    const deploy::GenerationStore live_;
    const deploy::GenerationStore installed_;
};

// Takes away what was laid for a service that has no profile with an installation any more.
// Error(misconfigured, "no-installation") where nothing was.
void takeAway(const config::Settings& settings, const std::string& service);

}  // namespace certmgr::install
