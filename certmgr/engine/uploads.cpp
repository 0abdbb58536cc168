#include "certmgr/engine/uploads.h"

#include <algorithm>
#include <cerrno>

#include <openssl/crypto.h>
#include <poll.h>
#include <sys/stat.h>

#include "certmgr/core/decision.h"
#include "certmgr/crypto/upload.h"

namespace certmgr::engine {
namespace {

constexpr std::size_t largestUpload = 256 * 1024;
constexpr int silenceMs = 10'000;  // a pipe that says nothing for so long is given up
constexpr int stopNoticedMs = 100;

// Holds an uploaded private key for as long as it is needed.
struct SecretText {
    std::string text;
    SecretText() { text.reserve(largestUpload + 1); }  // never moved by growing: nothing is left behind
    ~SecretText() { OPENSSL_cleanse(text.data(), text.capacity()); }
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
};

void awaitContent(int fd, const std::stop_token& stop) {
    for (int silent = 0; silent < silenceMs; silent += stopNoticedMs) {
        if (stop.stop_requested())
            throw Error(ErrorKind::transient, "cancelled",
                        "certmgrd was stopped before the upload was whole");
        pollfd waiting{fd, POLLIN, 0};
        if (::poll(&waiting, 1, stopNoticedMs) != 0) return;
    }
    throw Error(ErrorKind::rejected, "bad-upload", "the pipe of the upload stayed silent for ten seconds");
}

void readAll(int fd, SecretText& secret, const std::stop_token& stop) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) hal::throwErrno(errno, "upload");
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw Error(ErrorKind::rejected, "bad-upload", "the upload must be a file or a pipe");
    while (secret.text.size() <= largestUpload) {
        awaitContent(fd, stop);
        const std::size_t size = secret.text.size();
        secret.text.resize(largestUpload + 1);
        const ssize_t count = ::read(fd, secret.text.data() + size, secret.text.size() - size);
        secret.text.resize(count > 0 ? size + static_cast<std::size_t>(count) : size);
        if (count < 0 && errno != EINTR) hal::throwErrno(errno, "upload");
        if (count == 0) return;
    }
    throw Error(ErrorKind::rejected, "too-large", "the upload is larger than 256 KiB");
}

[[noreturn]] void refuse(const std::vector<crypto::Finding>& findings) {
    std::string message = "the upload is refused";
    for (const crypto::Finding& finding : findings) message += "\n- " + finding.message;
    throw Error(ErrorKind::rejected, "upload-refused", message);
}

}  // namespace

Uploads::Taken Uploads::take(hal::UniqueFd content, bool dryRun, const std::stop_token& stop) {
    SecretText secret;
    readAll(content.get(), secret, stop);
    const crypto::UploadReport report = crypto::inspectUpload(secret.text, {}, clock_.now());
    if (!report.acceptable()) refuse(report.findings);
    if (!crypto::keyPemMatches(secret.text, *report.chain.front()))
        refuse({{"key-mismatch",
                 "the private key does not belong to the certificate of " + report.leaf->subject}});

    Taken taken{*report.leaf, {}};
    for (const store::CertificateRow& row : coveredBy(*report.leaf)) taken.covered.push_back(row.spec.id);
    if (!dryRun) store(secret.text, crypto::toPem(report.chain), *report.leaf);
    return taken;
}

std::vector<store::CertificateRow> Uploads::coveredBy(const CertificateSummary& leaf) {
    std::vector<store::CertificateRow> rows = records_.certificates.list();
    std::erase_if(rows,
                  [&](const store::CertificateRow& row) { return !coversAll(leaf.names, row.spec.names); });
    return rows;
}

void Uploads::store(const std::string& pem, const std::string& chainPem, const CertificateSummary& leaf) {
    std::vector<std::string> users;
    for (const store::CertificateRow& row : coveredBy(leaf))
        users.insert(users.end(), row.spec.users.begin(), row.spec.users.end());
    // The same leaf uploaded twice at once must not get one key.
    const std::lock_guard lock(storing_);
    const KeyId key = keys_.intend("upload:" + leaf.sha256);
    try {
        const hal::KeyInfo info = keys_.store().import(
            {key, {}, hal::KeyPolicy::preferTpm, {users, {}}, leaf.names.front().value}, pem);
        records_.database.transaction([&] {
            records_.keys.made(info);
            records_.uploads.add({0, key, chainPem, leaf, clock_.now()});
        });
    } catch (const Error&) {
        keys_.discard(key);
        throw;
    }
    log_.write({Severity::notice,
                event_id::uploadTaken,
                "uploaded certificate for " + leaf.names.front().value + " taken, valid until " +
                    formatTime(leaf.notAfter),
                {{"CERTMGR_SHA256", leaf.sha256}}});
}

void Uploads::offer(const CertificateSpec& spec) {
    const std::vector<Credential> known = records_.credentials.history(spec.id);
    for (const store::UploadRow& upload : records_.uploads.list()) {
        const auto isThis = [&](const Credential& credential) { return credential.key == upload.key; };
        if (!coversAll(upload.leaf.names, spec.names) || std::any_of(known.begin(), known.end(), isThis))
            continue;
        keys_.grant(upload.key, spec.users);
        records_.credentials.add({0, spec.id, Source::uploaded, upload.key, upload.chainPem, upload.leaf, ""},
                                 clock_.now());
    }
}

std::optional<Credential> Uploads::best(const CertificateId& id, TimePoint now) {
    std::optional<Credential> best;
    for (const Credential& credential : records_.credentials.history(id)) {
        if (credential.source != Source::uploaded || credential.leaf.notAfter <= now) continue;
        if (!keys_.store().find(credential.key)) continue;
        if (!best || better(credential, *best, now)) best = credential;
    }
    return best;
}

}  // namespace certmgr::engine
