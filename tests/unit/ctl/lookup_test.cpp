#include "certmgr/ctl/lookup.h"

#include <gtest/gtest.h>

#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

const ObjectMap sharing = {
    {"gw.example+1", {{"Names", {"gw.example", "shared.example"}}}},
    {"shared.example+2", {{"Names", {"shared.example"}}}},
};

ExitStatus failureOf(const std::string& text) {
    try {
        findCertificate(sharing, text);
    } catch (const Failure& failure) {
        return failure.status();
    }
    return ExitStatus::success;
}

TEST(FindCertificate, ByIdOrUniqueName) {
    EXPECT_EQ(findCertificate(sharing, "shared.example+2"), "shared.example+2");
    EXPECT_EQ(findCertificate(sharing, "GW.Example."), "gw.example+1");
    EXPECT_EQ(failureOf("shared.example"), ExitStatus::notFound);
    EXPECT_EQ(failureOf("absent.example"), ExitStatus::notFound);
}

TEST(ExitStatusOf, BusErrors) {
    EXPECT_EQ(statusForBusError("org.freedesktop.DBus.Error.ServiceUnknown"), ExitStatus::unreachable);
    EXPECT_EQ(statusForBusError("org.freedesktop.DBus.Error.AccessDenied"), ExitStatus::denied);
    EXPECT_EQ(statusForBusError("org.certmgr1.Error.CertificateNotFound"), ExitStatus::notFound);
    EXPECT_EQ(statusForBusError("org.certmgr1.Error.BadName"), ExitStatus::refused);
    EXPECT_EQ(statusForBusError("org.certmgr1.Failure.DatabaseBusy"), ExitStatus::failed);
    EXPECT_EQ(statusForBusError("org.freedesktop.DBus.Error.Failed"), ExitStatus::failed);
}

TEST(ExitStatusOf, JobErrors) {
    EXPECT_EQ(statusForJobError("rejected", "bad-pem"), ExitStatus::refused);
    EXPECT_EQ(statusForJobError("rejected", "certificate-not-found"), ExitStatus::notFound);
    EXPECT_EQ(statusForJobError("transient", "connection-refused"), ExitStatus::failed);
}

}  // namespace
}  // namespace certmgr::ctl
