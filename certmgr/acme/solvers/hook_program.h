// TXT records by a program of the administrator's, as another ACME client would call it.
#pragma once

#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/dns_settings.h"
#include "certmgr/acme/solvers/record_writer.h"
#include "hal/command.h"

namespace certmgr::acme {

// Runs it without a shell, with the variables of its file, read anew for each run, and no others. One run at
// a time: such programs may read a zone, change it and write it back. Errors: transient "dns-hook-failed",
// with the last lines that it wrote, and "dns-hook-timeout"; misconfigured "dns-hook-not-started";
// "cancelled". None of them has the token or a value of the file in it.
class HookProgram : public RecordWriter {
  public:
    // `stop`: a run ends at once, and none begins, when it is requested.
    HookProgram(DnsHookSettings settings, hal::CommandRunner run, std::stop_token stop);

    std::string whyNot(const std::string& owner) const override;
    // One program may work for several providers.
    std::string means() const override {
        return settings_.program.string() + " " + settings_.environmentFile.string();
    }
    void add(const ProofRecord& record) override { call(true, record); }
    void remove(const ProofRecord& record) override { call(false, record); }
    // As acme.sh's dns_nsupdate.sh does, which works for one certificate after the other.
    bool mayRemoveOthers() const override { return true; }

  private:
    void call(bool add, const ProofRecord& record);
    std::vector<std::string> command(bool add, const ProofRecord& record) const;

    const DnsHookSettings settings_;
    const hal::CommandRunner run_;
    const std::stop_token stop_;
    std::mutex mutex_;
};

}  // namespace certmgr::acme
