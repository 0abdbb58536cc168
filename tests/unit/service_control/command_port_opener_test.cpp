#include "hal/systemd/command_port_opener.h"

#include <gtest/gtest.h>

#include "hal/error.h"
#include "tests/support/child_process.h"

namespace hal {
namespace {

TEST(CommandPortOpener, RunsTheCommandWithVerbAndPort) {
    const testing_support::TemporaryDirectory folder;
    CommandPortOpener opener({"/bin/sh", "-c", R"(echo "$0 $1 $2" >>)" + (folder / "said").string(), "mine"});
    opener.open(80);
    opener.close(443);
    EXPECT_EQ(testing_support::readFile(folder / "said"), "mine open 80\nmine close 443\n");
}

TEST(CommandPortOpener, SaysWhatTheCommandSaid) {
    CommandPortOpener opener({"/bin/sh", "-c", "echo there is no set; exit 1"});
    try {
        opener.open(80);
        FAIL() << "opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "port-not-opened");
        EXPECT_NE(std::string(error.what()).find("port 80 in the packet filter"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("there is no set"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace hal
