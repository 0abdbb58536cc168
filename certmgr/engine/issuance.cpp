#include "certmgr/engine/issuance.h"

#include "certmgr/core/decision.h"

namespace certmgr::engine {

bool adopt(Records& records, const Credential& credential, TimePoint now, std::int64_t replaces,
           const std::function<void()>& alongside) {
    bool inForce = false;
    records.database.transaction([&] {
        const std::int64_t generation = records.credentials.add(credential, now);
        const auto current = records.credentials.current(credential.certificate);
        inForce = !current || current->generation == replaces || better(credential, *current, now);
        if (inForce) records.credentials.setCurrent(credential.certificate, generation);
        alongside();
    });
    return inForce;
}

void LocalIssuer::issue(const CertificateSpec& spec, std::int64_t replaces) {
    const KeyId key = keys_.intend("local:" + spec.id);
    const hal::KeyInfo info =
        keys_.findOrMake({key, spec.keyAlgorithm, spec.keyPolicy, {spec.users, {}}, spec.id});
    const TimePoint now = clock_.now();
    const bool trusted = clock_.trust().trusted;
    const auto [leaf, issuerId] = spec.usage == Usage::inspectionCa
                                      ? ca_.signInspectionCa(info.publicKey, now, trusted)
                                      : ca_.sign(spec.names, info.publicKey, now, trusted);
    adopt(records_, {0, spec.id, Source::local, key, leaf.chainPem, leaf.summary, issuerId, info.algorithm},
          now, replaces, [&] { records_.keys.made(info); });
}

}  // namespace certmgr::engine
