// The manual pages and the completion, as their own tools see them.
#include <gtest/gtest.h>

#include "tests/integration/bus/bus_host.h"

namespace certmgr::bus {
namespace {

using testing_support::run;

const std::string share = CERTMGR_ROOTFS "/usr/share";

TEST(Pages, FormatWithoutWarnings) {
    for (const char* page : {"man1/certmgrctl.1", "man5/certmgr.toml.5", "man5/certmgr-services.d.5",
                             "man7/org.certmgr1.7", "man8/certmgrd.8"}) {
        const auto result = run({"sh", "-c",
                                 "LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z " + share +
                                     "/man/" + page + " 2>&1 >/dev/null"});
        EXPECT_EQ(result.status, 0) << page;
        EXPECT_EQ(result.output, "") << page;
    }
}

TEST(Completion, KnowsEverySubcommandOfTheHelp) {
    const std::string script =
        ". " + share +
        "/bash-completion/completions/certmgrctl; COMP_WORDS=(certmgrctl ''); COMP_CWORD=1; "
        "_certmgrctl; printf '%s\\n' \"${COMPREPLY[@]}\"";
    const auto completed = run({"bash", "-c", script});
    ASSERT_EQ(completed.status, 0) << completed.output;
    const std::string help = run({CERTMGRCTL, "--help"}).output;
    for (const char* command : {"list", "show", "request", "upload", "reissue", "delete", "acme", "authority",
                                "trust", "service", "status", "watch"}) {
        EXPECT_NE(completed.output.find(std::string(command) + "\n"), std::string::npos) << command;
        EXPECT_NE(help.find(std::string("  ") + command + " "), std::string::npos) << command;
    }
}

}  // namespace
}  // namespace certmgr::bus
