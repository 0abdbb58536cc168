#include "certmgr/engine/trust_files.h"

#include <algorithm>

#include "certmgr/authority/authority.h"
#include "certmgr/crypto/digest.h"
#include "certmgr/deploy/directory.h"
#include "certmgr/engine/file_modes.h"

namespace certmgr::engine {
namespace {

constexpr seconds soonest = std::chrono::hours(1);

// The self-signed end of what stands above a CA below somebody else's root.
std::string foreignRoot(const AuthorityRecord& authority) {
    return authority.upperChainPem.empty()
               ? ""
               : crypto::toPem(*crypto::parseChainPem(authority.upperChainPem).back());
}

TimePoint half(const store::CrlRow& row) {
    return row.nextUpdate - TrustFiles::crlLifetime / 2;
}

}  // namespace

// Newest first. On a clock that is not trusted nothing counts as ended.
std::vector<AuthorityRecord> TrustFiles::living() {
    std::vector<AuthorityRecord> records = records_.authorities.list();
    const TimePoint now = clock_.now();
    if (clock_.trust().trusted)
        std::erase_if(records, [&](const AuthorityRecord& record) { return record.summary.notAfter < now; });
    return records;
}

std::optional<store::CrlRow> TrustFiles::latestOf(const AuthorityRecord& authority) {
    try {
        return listOf(authority);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::transient) throw;
        log_.write({Severity::warning,
                    event_id::trustFailed,
                    "the revocation list of " + authority.id + " stays as it is: " + error.what(),
                    {{"CERTMGR_AUTHORITY", authority.id}, {"CERTMGR_CODE", error.code()}}});
        return records_.crls.find(authority.id);
    }
}

store::CrlRow TrustFiles::listOf(const AuthorityRecord& authority) {
    const bool trusted = clock_.trust().trusted;
    const std::optional<store::CrlRow> present = records_.crls.find(authority.id);
    TimePoint now = clock_.now();
    // A clock that fell back must not publish a list that has ended for everybody whose clock is right.
    if (!trusted)
        now = std::max({now, authority.summary.notBefore,
                        present ? present->nextUpdate - crlLifetime : TimePoint::min()});
    // RFC 5280 3.3: an entry stays until it has been on a list that was issued after the certificate's end.
    const std::vector<IssuedCertificate> revoked =
        records_.issued.revoked(authority.id, trusted ? now - crlLifetime : TimePoint());
    std::vector<std::string> serials;
    std::vector<crypto::RevokedCertificate> entries;
    for (const IssuedCertificate& certificate : revoked) {
        serials.push_back(certificate.summary.serial);
        entries.push_back({certificate.summary.serial, *certificate.revocation});
    }
    const bool fresh = present && (!trusted || (now >= present->thisUpdate && now < half(*present)));
    if (fresh && present->serials == serials) return *present;
    const std::int64_t number = present ? present->number + 1 : 1;
    const authority::Crl crl =
        authority::makeCrl(keys_.store(), authority, number, entries, crlLifetime, now);
    store::CrlRow row{authority.id,   number,  crl.thisUpdate,
                      crl.nextUpdate, serials, crypto::crlToPem(crl.der)};
    records_.crls.put(row);  // before anybody sees it: its number is never used again
    return row;
}

TrustFiles::Published TrustFiles::publish() {
    const std::lock_guard lock(publishing_);
    const std::vector<AuthorityRecord> authorities = living();
    std::string clientCa;
    std::string crls;
    std::string newestIssuing;
    Published published{.sha256 = {}, .due = TimePoint::max()};
    for (const AuthorityRecord& authority : authorities) {
        clientCa += authority.certificatePem + authority.upperChainPem;
        const std::optional<store::CrlRow> row = latestOf(authority);
        if (!row) continue;
        crls += row->crlPem;
        if (newestIssuing.empty() && authority.role == AuthorityRole::issuing) newestIssuing = row->crlPem;
        published.due = std::min(published.due, std::max(half(*row), clock_.now() + soonest));
    }
    const auto directory = deploy::Directory::openOrMake(directory_);
    directory.replace("trust.pem", trustPem(), readableByAll);
    directory.replace("client-ca.pem", clientCa, readableByAll);
    directory.replace("crl.pem", crls, readableByAll);
    if (!newestIssuing.empty()) {
        const hal::Bytes der = crypto::crlToDer(newestIssuing);
        directory.replace("crl.der", {der.begin(), der.end()}, readableByAll);
    }
    published.sha256 = crypto::sha256Hex(clientCa + crls);
    return published;
}

std::string TrustFiles::trustPem() {
    std::string pem;
    for (const AuthorityRecord& authority : living())
        pem += authority.role == AuthorityRole::root ? authority.certificatePem : foreignRoot(authority);
    return pem;
}

std::string TrustFiles::crlPem() {
    std::string pem;
    for (const AuthorityRecord& authority : living())
        if (const auto row = records_.crls.find(authority.id)) pem += row->crlPem;
    return pem;
}

}  // namespace certmgr::engine
