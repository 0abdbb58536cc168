#include "hal/systemd/systemd_service_control.h"

#include <thread>

#include <gtest/gtest.h>

#include "hal/error.h"
#include "tests/integration/service_control/fake_systemd.h"

namespace hal {
namespace {

using std::chrono::milliseconds;
using testing_support::FakeSystemd;
using Behaviour = testing_support::FakeSystemd::Behaviour;

const ServiceHandle nginx{"nginx.service", {}, {}, milliseconds(20'000)};

class SystemdServiceControlTest : public ::testing::Test {
  protected:
    std::string errorOf(const ServiceHandle& service) {
        try {
            SystemdServiceControl().reload(service);
            return "done";
        } catch (const Error& error) {
            message_ = error.what();
            return std::string(toString(error.kind())) + " " + error.code();
        }
    }
    std::string errorOf(Behaviour behaviour, const std::string& result) {
        const FakeSystemd systemd(behaviour, result);
        return errorOf(nginx);
    }

    testing_support::UnguardedBus bus_;
    std::string message_;
};

TEST_F(SystemdServiceControlTest, ReturnsWhenTheJobIsDone) {
    const FakeSystemd systemd(Behaviour::endWithResult, "done");
    SystemdServiceControl().reload(nginx);
    EXPECT_EQ(systemd.asked(), "nginx.service replace");
}

TEST_F(SystemdServiceControlTest, TellsTheResultsOfAJobApart) {
    EXPECT_EQ(errorOf(Behaviour::endWithResult, "failed"), "misconfigured reload-failed");
    EXPECT_NE(message_.find("nginx.service ended with \"failed\""), std::string::npos) << message_;
    EXPECT_EQ(errorOf(Behaviour::endWithResult, "canceled"), "misconfigured reload-failed");
    EXPECT_EQ(errorOf(Behaviour::endWithResult, "timeout"), "transient reload-timeout");
    EXPECT_EQ(errorOf(Behaviour::endWithResult, "invalid"), "transient service-inactive");
}

TEST_F(SystemdServiceControlTest, WhatDoesNotRunIsNotAskedToReload) {
    for (const std::string state : {"inactive", "failed"}) {
        const FakeSystemd systemd(Behaviour::neverEnd, "", state);
        EXPECT_EQ(errorOf(nginx), "transient service-inactive");
        EXPECT_EQ(systemd.asked(), "");
    }
    const FakeSystemd systemd(Behaviour::endWithResult, "done", "activating");
    EXPECT_EQ(errorOf(nginx), "done");
}

TEST_F(SystemdServiceControlTest, WhyAUnitThatIsNotThereCannotBeReloadedIsSystemdsToSay) {
    const FakeSystemd systemd(Behaviour::refuse, "org.freedesktop.systemd1.NoSuchUnit", "inactive",
                              "not-found");
    EXPECT_EQ(errorOf(nginx), "misconfigured unit-not-found");
}

TEST_F(SystemdServiceControlTest, TellsRefusalsApart) {
    EXPECT_EQ(errorOf(Behaviour::refuse, "org.freedesktop.systemd1.NoSuchUnit"),
              "misconfigured unit-not-found");
    EXPECT_EQ(errorOf(Behaviour::refuse, "org.freedesktop.DBus.Error.AccessDenied"),
              "misconfigured access-denied");
    EXPECT_NE(message_.find("polkit"), std::string::npos) << message_;
    EXPECT_EQ(errorOf(Behaviour::refuse, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"),
              "misconfigured access-denied");
    EXPECT_EQ(errorOf(Behaviour::refuse, "org.freedesktop.systemd1.JobTypeNotApplicable"),
              "misconfigured reload-failed");
}

TEST_F(SystemdServiceControlTest, AJobThatNeverEndsIsATimeout) {
    const FakeSystemd systemd(Behaviour::neverEnd, "");
    EXPECT_EQ(errorOf({"nginx.service", {}, {}, milliseconds(200)}), "transient reload-timeout");
}

TEST_F(SystemdServiceControlTest, AManagerThatVanishesIsNoticedAtOnce) {
    EXPECT_EQ(errorOf(Behaviour::vanishBeforeAnswer, ""), "transient service-manager-unreachable");
    EXPECT_EQ(errorOf(Behaviour::vanishAfterAnswer, ""), "transient service-manager-unreachable");
}

TEST_F(SystemdServiceControlTest, WithoutAManagerOrABusItIsUnreachable) {
    EXPECT_EQ(errorOf(nginx), "transient service-manager-unreachable");
    bus_.stop();
    EXPECT_EQ(errorOf(nginx), "transient service-manager-unreachable");
}

TEST_F(SystemdServiceControlTest, ABusThatDiesDuringTheJobIsNoticed) {
    const FakeSystemd systemd(Behaviour::neverEnd, "");
    const std::jthread killer([&] {
        testing_support::waitUntil("the reload", [&] { return systemd.wasAsked(); });
        bus_.stop();
    });
    EXPECT_EQ(errorOf(nginx), "transient service-manager-unreachable");
}

TEST_F(SystemdServiceControlTest, AFailingCheckIsNotFollowedByAReload) {
    const FakeSystemd systemd(Behaviour::endWithResult, "done");
    EXPECT_EQ(errorOf({"nginx.service", {"false"}, {}}), "misconfigured check-failed");
    EXPECT_EQ(systemd.asked(), "");
}

TEST_F(SystemdServiceControlTest, WithoutAUnitTheCheckIsAll) {
    const FakeSystemd systemd(Behaviour::endWithResult, "done");
    EXPECT_EQ(errorOf({"", {"true"}, {}}), "done");
    EXPECT_EQ(errorOf({"", {}, {"true"}}), "misconfigured reload-failed");
    EXPECT_EQ(systemd.asked(), "");
}

}  // namespace
}  // namespace hal
