// What people read: tables, details, changes. Pure; times are given, nothing is asked of the system.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "certmgr/ctl/client.h"

namespace certmgr::ctl {

using Now = std::chrono::sys_seconds;

std::string formatDay(std::uint64_t time);              // "2027-02-20"
std::string formatClock(std::uint64_t time);            // "10:00:00Z"
std::string formatMoment(std::uint64_t time, Now now);  // "2027-02-20 10:00:00 UTC (in 89 days)"; 0: "never"
std::string relativeTime(std::uint64_t time, Now now);  // "in 89 days", "5 minutes ago", "now"

// At most `width` columns where the values allow it. Below the row of a certificate stand its last error and
// the services that do not serve it though they should.
std::string certificateTable(const ObjectMap& certificates, const ObjectMap& services, Now now,
                             std::size_t width);
// Every chain that was uploaded, in use or not.
std::string uploadTable(const ObjectMap& uploads);
std::string serviceTable(const ObjectMap& services, Now now);

// What a certificate takes along when it is deleted, and what stays.
std::string deletionText(const Json& certificate);

// What AuthorityManager.ListIssued says.
std::string issuedTable(const Json& issued);
// What AuthorityManager.GetSystemTrust says.
std::string trustTable(const Json& anchors);

// What Acme.ListAccounts says: a CA a row, and below it what was agreed to there.
std::string accountTable(const Json& accounts);

// What Acme.GetBudget says: for each CA the limits of which more than half is used, or that will be used up;
// with `all` the others too; and below them what it has said to leave alone.
std::string budgetText(const Json& budgets, bool all, Now now);

// What Acme.Preflight says: each name, and below it a line for each check.
std::string preflightText(const Json& findings);

// What Acme.PersistRecords says, as a piece of a zone file: what is there as a comment, and the line to put.
std::string persistRecordText(const Json& records);
// "2027-12-31", its last second, or "2027-12-31T12:00:00Z", as seconds since 1970; absent: it is neither, or
// after 2106.
std::optional<std::uint32_t> timeFrom(const std::string& words);

// "Name: value" for each property that says something.
std::string details(const Json& properties, Now now);
// The same of a certificate, with a line for each element of its "Deployments" and for the orders that came
// to nothing.
std::string certificateDetails(const Json& certificate, Now now);

// How each service of the certificate took it: elements of Deployments (org.certmgr1(7)) with "Service" in
// the place of "Certificate".
Json deploymentsOf(const std::string& certificate, const ObjectMap& services);

// One line for a change; empty where nothing that people care about changed. `before` or `after` null: it
// came or went.
std::string describeChange(Kind kind, const std::string& id, const Json& before, const Json& after);

}  // namespace certmgr::ctl
