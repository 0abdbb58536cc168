#include "certmgr/engine/alarm_facts.h"

#include <algorithm>

#include "certmgr/deploy/deployer.h"
#include "certmgr/engine/trust_files.h"

namespace certmgr::engine {
namespace {

TimePoint timeOf(std::uint64_t epoch) {
    return TimePoint(seconds(static_cast<seconds::rep>(epoch)));
}

bool inTpm(const std::string& backend) {
    return backend == toString(hal::KeyBackend::tpm);
}

// Why a key that might be in the TPM is a file; empty: nobody did wrong. A box without a TPM is in order, but
// not one that had it when it made its other keys.
class Misplacement {
  public:
    explicit Misplacement(const Views& views)
        : tpmKnown_(std::ranges::any_of(views.certificates(),
                                        [](const auto& entry) { return inTpm(entry.second.keyBackend); }) ||
                    std::ranges::any_of(views.authorities(),
                                        [](const auto& entry) { return inTpm(entry.second.keyBackend); })) {}

    std::string of(std::string_view policy, const std::string& backend, const std::string& reasonCode,
                   const std::string& reason) const {
        if (policy != toString(hal::KeyPolicy::preferTpm) || backend != toString(hal::KeyBackend::file))
            return "";
        const bool asItMustBe = reasonCode == "imported" || reasonCode == "not-supported" ||
                                reasonCode == "as-asked" || (reasonCode == "no-tpm" && !tpmKnown_);
        return asItMustBe ? "" : reason;
    }

  private:
    bool tpmKnown_;
};

CertificateAlarmFacts certificateFacts(const CertificateView& view, const Misplacement& misplacement) {
    CertificateAlarmFacts facts;
    facts.id = view.id;
    if (view.generation != 0) facts.validity = {timeOf(view.notBefore), timeOf(view.notAfter)};
    facts.uploaded = view.state == toString(Source::uploaded);
    facts.underWay = !view.activity.empty();
    facts.failures = static_cast<int>(view.failures);
    facts.lastError = view.lastError;
    if (!view.persistName.empty())
        facts.persist = {parseIdentifier(view.persistName.str()),
                         view.persistUntil != 0 ? std::optional(timeOf(view.persistUntil)) : std::nullopt,
                         view.persistComplaint};
    facts.misplacedKey =
        misplacement.of(view.keyPolicy.str(), view.keyBackend.str(), view.keyReasonCode, view.keyReason);
    return facts;
}

ServiceAlarmFacts serviceFacts(const ServiceView& view) {
    ServiceAlarmFacts facts{view.name, {}};
    for (const DeploymentView& deployment : view.deployments) {
        const bool rolledBack = deployment.state == toString(deploy::State::rolledBack);
        if (rolledBack || deployment.state == toString(deploy::State::failed))
            facts.refused.push_back({deployment.certificate, rolledBack,
                                     static_cast<int>(deployment.failures), deployment.reason});
    }
    return facts;
}

// Below somebody else's root, since none of ours has its issuer's name.
bool foreign(const Views& views, const AuthorityView& issuing) {
    return issuing.role == toString(AuthorityRole::issuing) &&
           std::ranges::none_of(views.authorities(), [&](const auto& entry) {
               return entry.second.role == toString(AuthorityRole::root) &&
                      entry.second.subject == issuing.issuer;
           });
}

AuthorityAlarmFacts authorityFacts(const Views& views, const AuthorityView& view,
                                   const authority::AuthoritySettings& settings,
                                   const Misplacement& misplacement) {
    AuthorityAlarmFacts facts;
    facts.id = view.id;
    const bool inForce = view.state == "in-force";
    // A CA below somebody else's root is followed by one that its clients do not know, a leaf's lifetime
    // before its end: its successor must come before that.
    const seconds handOver = foreign(views, view) ? settings.leafLifetime : seconds(0);
    if (inForce) facts.signing = {timeOf(view.notBefore), timeOf(view.notAfter) - handOver};
    if (view.crlNextUpdate != 0 && (inForce || !view.dependents.empty()))
        facts.revocation = {timeOf(view.crlNextUpdate) - TrustFiles::crlLifetime, timeOf(view.crlNextUpdate)};
    const hal::KeyPolicy policy =
        view.role == toString(AuthorityRole::root) ? settings.rootKeyPolicy : settings.issuingKeyPolicy;
    if (inForce)
        facts.misplacedKey =
            misplacement.of(toString(policy), view.keyBackend, view.keyReasonCode, view.keyReason);
    return facts;
}

}  // namespace

AlarmFacts alarmFacts(const Views& views, const authority::AuthoritySettings& settings,
                      const ClockTrust& clock, seconds distrustedFor) {
    AlarmFacts facts;
    facts.clock = clock;
    facts.distrustedFor = distrustedFor;
    const Misplacement misplacement(views);
    for (const auto& [id, view] : views.certificates())
        facts.certificates.push_back(certificateFacts(view, misplacement));
    for (const auto& [name, view] : views.services()) facts.services.push_back(serviceFacts(view));
    for (const auto& [id, view] : views.authorities())
        facts.authorities.push_back(authorityFacts(views, view, settings, misplacement));
    return facts;
}

}  // namespace certmgr::engine
