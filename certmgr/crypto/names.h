// The names in a certificate: its subjectAltName, and the CN where it has none.
#pragma once

#include <string>
#include <vector>

#include "certmgr/core/identifier.h"
#include "hal/handle.h"

namespace certmgr::crypto {

// dNSName and iPAddress, sorted, without repetitions, lower case; what is no printable name is left out. The
// CN counts only where there is no subjectAltName at all (RFC 9525 6.3 forbids it, features.md 4 keeps it for
// old private CAs).
std::vector<Identifier> namesOf(const X509& certificate);

// What breaks RFC 5280 4.2.1.6 or the Baseline Requirements 7.1.4 in the names of a server certificate; a
// sentence each.
std::vector<std::string> nameProblems(const X509& certificate);

// A wildcard of the leaf that could stand for a name which `ca` excludes ("*.example.com" where
// "bar.example.com" is excluded); OpenSSL compares the wildcard as text and lets it pass (CVE-2025-61727 is
// the same in Go). Empty: none.
std::string excludedWildcard(const X509& ca, const X509& leaf);

}  // namespace certmgr::crypto
