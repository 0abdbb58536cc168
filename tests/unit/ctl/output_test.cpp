#include "certmgr/ctl/output.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

namespace certmgr::ctl {
namespace {

constexpr std::uint64_t base = 1'790'000'000;  // 2026-09-21 14:13:20 UTC
const Now now{std::chrono::seconds(base)};

TEST(RelativeTime, NamesTheLargestUnitThatFits) {
    EXPECT_EQ(relativeTime(base, now), "now");
    EXPECT_EQ(relativeTime(base + 1, now), "in 1 second");
    EXPECT_EQ(relativeTime(base + 90 * 60, now), "in 90 minutes");
    EXPECT_EQ(relativeTime(base + 47 * 3600, now), "in 47 hours");
    EXPECT_EQ(relativeTime(base + 59 * 86'400 + 5, now), "in 59 days");
    EXPECT_EQ(relativeTime(base - 300, now), "5 minutes ago");
}

TEST(FormatMoment, SaysUtc) {
    EXPECT_EQ(formatMoment(base - 300, now), "2026-09-21 14:08:20 UTC (5 minutes ago)");
    EXPECT_EQ(formatMoment(0, now), "never");
    EXPECT_EQ(formatDay(base), "2026-09-21");
}

const ObjectMap certificates = {
    {"gw.example",
     {{"Id", "gw.example"},
      {"Names", {"gw.example"}},
      {"State", "acme"},
      {"KeyBackend", "tpm"},
      {"NotAfter", base + 90 * 86'400},
      {"Proof", "proved"},
      {"Services", {"web-ui", "proxy"}},
      {"RenewAt", base + 60 * 86'400}}},
    {"portal.example",
     {{"Id", "portal.example"},
      {"Names", {"portal.example", "p.example"}},
      {"State", "local"},
      {"KeyBackend", "file"},
      {"NotAfter", base + 86'400},
      {"NextAttempt", base + 600},
      {"LastError",
       "order: authorization of portal.example: the CA could not connect to port 80 of 192.0.2.1; "
       "expected an answer within ten seconds"}}},
};

TEST(CertificateTable, ShowsRowsAndTheErrorBelow) {
    EXPECT_EQ(certificateTable(certificates, {}, now, 80),
              "NAMES              STATE  KEY   VALID UNTIL (UTC)  PROOF   SERVICES   NEXT\n"
              "gw.example         acme   tpm   2026-12-20         proved  web-ui +1  renew in 60 days\n"
              "portal.example +1  local  file  2026-09-22         -       -          try in 10 minutes\n"
              "  ! order: authorization of portal.example: the CA could not connect to port 80\n"
              "  ! of 192.0.2.1; expected an answer within ten seconds\n");
    EXPECT_EQ(certificateTable({}, {}, now, 80), "There are no certificates.\n");
}

TEST(CertificateTable, FitsHundredColumns) {
    std::istringstream lines(certificateTable(certificates, {}, now, 100));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

const ObjectMap services = {
    {"proxy",
     {{"Deployments",
       {{{"Certificate", "gw.example"},
         {"State", "rolled-back"},
         {"Reason", "the leaf 01 is served, expected 02"},
         {"ProvedAt", base - 300},
         {"NextAttempt", base + 600}}}}}},
    {"web-ui", {{"Deployments", {{{"Certificate", "gw.example"}, {"State", "proved"}, {"ProvedAt", base}}}}}},
};

TEST(CertificateTable, NamesTheServicesThatDoNotServeIt) {
    const std::string table = certificateTable(certificates, services, now, 100);
    EXPECT_NE(table.find("  ! proxy: rolled back, again in 10 minutes; see certmgrctl show gw.example\n"),
              std::string::npos)
        << table;
    EXPECT_EQ(table.find("! web-ui"), std::string::npos) << table;
}

TEST(CertificateDetails, HaveALineForEachServiceAndForOrdersThatCameToNothing) {
    Json certificate = certificates.at("gw.example");
    certificate["Deployments"] = deploymentsOf("gw.example", services);
    certificate["LostOrders"] = 2;
    certificate["LastLostOrder"] = base - 60;
    certificate["AbandonedOrders"] = 0;
    certificate["LastAbandonedOrder"] = 0;
    const std::string shown = certificateDetails(certificate, now);
    EXPECT_TRUE(shown.starts_with(
        "Service proxy: rolled back: the leaf 01 is served, expected 02; last proved 2026-09-21 14:08:20 UTC "
        "(5 minutes ago); next attempt 2026-09-21 14:23:20 UTC (in 10 minutes)\n"
        "Service web-ui: proved; last proved 2026-09-21 14:13:20 UTC (now)\n"
        "Orders lost: 2, the newest begun 2026-09-21 14:12:20 UTC (60 seconds ago)\n"))
        << shown;
    EXPECT_EQ(shown.find("given up"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("Abandoned"), std::string::npos) << shown;
}

TEST(Details, LeavesOutWhatSaysNothing) {
    EXPECT_EQ(details({{"Names", {"a", "b"}}, {"LastError", ""}, {"RenewAt", 0}, {"Generation", 3}}, now),
              "Generation: 3\nNames: a, b\n");
    EXPECT_NE(details({{"Deployments", {{{"Certificate", "a"}, {"ProvedAt", base}}}}}, now)
                  .find("14:13:20 UTC (now)"),
              std::string::npos);
}

TEST(DeletionText, SaysWhatGoesAlongAndWhatStays) {
    Json certificate = certificates.at("gw.example");
    certificate["Serial"] = "0badcafe";
    certificate["NextAttempt"] = base;
    EXPECT_EQ(deletionText(certificate),
              "Deleting gw.example would take along:\n"
              "  its name: no new certificate is made for it\n"
              "  its acme certificate, serial 0badcafe, valid until 2026-12-20\n"
              "  its key: tpm\n"
              "  its next attempt at the CA\n");
    certificate["State"] = "uploaded";
    certificate["NextAttempt"] = 0;
    EXPECT_EQ(deletionText(certificate),
              "Deleting gw.example would take along:\n"
              "  its name: no new certificate is made for it\n"
              "What stays: the uploaded certificate, serial 0badcafe, valid until 2026-12-20, among the "
              "uploads with "
              "its key\n");
}

TEST(DescribeChange, NamesWhatIsNew) {
    const Json before = {{"State", "local"}, {"Activity", "waiting"}, {"RenewAt", 1}};
    Json after = before;
    after["RenewAt"] = 2;
    EXPECT_EQ(describeChange(Kind::certificate, "gw.example", before, after), "");
    after["State"] = "acme";
    after["Activity"] = "";
    EXPECT_EQ(describeChange(Kind::certificate, "gw.example", before, after),
              "certificate gw.example; State: acme; Activity: -");
    EXPECT_EQ(describeChange(Kind::job, "7", Json(), {{"State", "queued"}, {"Step", ""}}),
              "job 7 is new; State: queued");
    EXPECT_EQ(describeChange(Kind::job, "7", before, Json()), "job 7 is gone");
}

TEST(TimeFrom, TakesADayToItsEndAndATime) {
    EXPECT_EQ(timeFrom("2026-09-21"), 1'790'035'199U);
    EXPECT_EQ(timeFrom("2026-09-21T14:13:20Z"), 1'790'000'000U);
    EXPECT_EQ(timeFrom("2106-02-06"), 4'294'943'999U);
    EXPECT_FALSE(timeFrom("2027-02-31")) << "which is no day";
    for (const char* const words : {"", "tomorrow", "2026-13-01", "2026-09-21 14:13", "2026-09-21T14:13:20",
                                    "2106-02-08", "1969-01-01"})
        EXPECT_EQ(timeFrom(words), std::nullopt) << words;
}

}  // namespace
}  // namespace certmgr::ctl
