#include "hal/systemd/systemd_port_opener.h"

#include <gtest/gtest.h>

#include "hal/error.h"
#include "tests/integration/service_control/fake_systemd.h"

namespace hal {
namespace {

using testing_support::FakeSystemd;
using Behaviour = testing_support::FakeSystemd::Behaviour;

class SystemdPortOpenerTest : public ::testing::Test {
  protected:
    testing_support::UnguardedBus bus_;
    SystemdPortOpener opener_;
};

TEST_F(SystemdPortOpenerTest, AsksForTheUnitOfThePortAndForNoOther) {
    const FakeSystemd systemd(Behaviour::endWithResult, "done");
    opener_.open(80);
    EXPECT_EQ(systemd.method() + " " + systemd.asked(),
              "ReloadOrRestartUnit certmgr-port@80.service ignore-requirements");
    opener_.close(443);
    EXPECT_EQ(systemd.method() + " " + systemd.asked(),
              "StopUnit certmgr-port@443.service ignore-requirements");
}

TEST_F(SystemdPortOpenerTest, SaysWhichPortStaysAsItIsAndWhy) {
    const FakeSystemd systemd(Behaviour::endWithResult, "failed");
    try {
        opener_.open(80);
        FAIL() << "opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "port-not-opened");
        EXPECT_EQ(error.kind(), ErrorKind::misconfigured);
        EXPECT_STREQ(error.what(),
                     "port 80 in the packet filter: the start of certmgr-port@80.service ended with "
                     "\"failed\"; see journalctl -u certmgr-port@80.service");
    }
}

}  // namespace
}  // namespace hal
