#include "certmgr/engine/issuance.h"

#include "certmgr/core/decision.h"

namespace certmgr::engine {

std::int64_t adopt(Records& records, const Credential& credential, TimePoint now,
                   const std::function<void()>& alongside) {
    std::int64_t generation = 0;
    records.database.transaction([&] {
        generation = records.credentials.add(credential, now);
        const auto current = records.credentials.current(credential.certificate);
        if (!current || better(credential, *current, now))
            records.credentials.setCurrent(credential.certificate, generation);
        if (alongside) alongside();
    });
    return generation;
}

void LocalIssuer::issue(const CertificateSpec& spec) {
    const KeyId key = keys_.intend("local:" + spec.id);
    const hal::KeyInfo info =
        keys_.findOrMake({key, spec.keyAlgorithm, spec.keyPolicy, {spec.users, {}}, spec.id});
    const TimePoint now = clock_.now();
    const auto [leaf, issuerId] = ca_.sign(spec.names, info.publicKey, now);
    adopt(records_, {0, spec.id, Source::local, key, leaf.chainPem, leaf.summary, issuerId, info.algorithm},
          now, [&] { records_.keys.made(info); });
}

}  // namespace certmgr::engine
