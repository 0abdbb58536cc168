// From the database to what people see.
#pragma once

#include <map>
#include <set>

#include "certmgr/core/decision.h"
#include "certmgr/core/service_profile.h"
#include "certmgr/engine/records.h"
#include "certmgr/engine/views.h"

namespace certmgr::engine {

// `services`: the modules that the certificate is for. How they serve it is for worstProof() to say.
CertificateView certificateView(Records& records, const store::CertificateRow& row, const Decision& decision,
                                const std::vector<std::string>& services);
// When another is to take its place: one of its own kind, or of an uploaded one a CA's.
TimePoint renewalOf(Records& records, const Credential& credential);
// The record of dns-persist-01 that goes first of those that proved its names.
void describePersistRecord(Records& records, CertificateView& view);
// Of the generation that is shown: "proved", "unproved", "waiting", "pending", "rolled-back" or "failed",
// whichever of its services, all of which are shown, is worst off; "not deployed" without any.
std::string worstProof(const CertificateView& certificate,
                       const std::map<std::string, ServiceView>& services);
ServiceView serviceView(Records& records, const ServiceProfile& service);
std::vector<AuthorityView> authorityViews(Records& records, TimePoint now);
std::vector<UploadView> uploadViews(Records& records);

}  // namespace certmgr::engine
