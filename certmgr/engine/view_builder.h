// From the database to what people see.
#pragma once

#include <map>
#include <set>

#include "certmgr/core/decision.h"
#include "certmgr/core/service_profile.h"
#include "certmgr/engine/records.h"
#include "certmgr/engine/views.h"

namespace certmgr::engine {

// `services`: the modules that the certificate is for.
CertificateView certificateView(Records& records, const store::CertificateRow& row, const Decision& decision,
                                const std::vector<std::string>& services);
// Of one generation: "proved", "unproved", "waiting", "pending", "rolled-back" or "failed", whichever of its
// services is worst off; "not deployed" without any.
std::string worstProof(Records& records, const CertificateId& id, std::int64_t generation,
                       const std::vector<std::string>& services);
// The same by what is shown of the services.
std::string worstProofShown(const CertificateView& certificate,
                            const std::map<std::string, ServiceView>& services);
ServiceView serviceView(Records& records, const ServiceProfile& service);
std::vector<AuthorityView> authorityViews(Records& records, TimePoint now);
std::vector<UploadView> uploadViews(Records& records);

}  // namespace certmgr::engine
