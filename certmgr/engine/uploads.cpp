#include "certmgr/engine/uploads.h"

#include <algorithm>

#include "certmgr/crypto/private_pem.h"
#include "certmgr/crypto/upload.h"
#include "certmgr/engine/upload_reader.h"

namespace certmgr::engine {
namespace {

constexpr std::size_t mostFindings = 20;  // more than anybody reads, and few enough for a bus message

// What an UploadCommand holds, for as long as it is needed.
struct Content {
    std::vector<crypto::SecretText> files;
    std::optional<crypto::SecretText> passphrase;

    Content(const UploadCommand& command, const std::stop_token& stop) {
        std::size_t left = crypto::maximumUpload;
        for (const hal::UniqueFd& fd : command.contents) {
            files.push_back(readSecret(fd, left, "the upload", stop));
            left -= files.back().view().size();
        }
        if (command.passphrase) passphrase.emplace(readPassphrase(command.passphrase, stop));
    }

    crypto::UploadFiles view() const {
        crypto::UploadFiles view;
        for (const crypto::SecretText& file : files) view.contents.push_back(file.view());
        if (passphrase) view.passphrase = passphrase->view();
        return view;
    }
};

[[noreturn]] void refuse(const std::vector<crypto::Finding>& findings) {
    std::string message = "the upload is refused";
    for (std::size_t i = 0; i < std::min(mostFindings, findings.size()); ++i)
        message += "\n- " + findings[i].message;
    if (findings.size() > mostFindings)
        message += "\n- and " + std::to_string(findings.size() - mostFindings) + " more";
    reject(findings.size() == 1 ? findings.front().code : "upload-refused", message);
}

std::string listed(const std::vector<CertificateId>& ids) {
    std::string text;
    for (const CertificateId& id : ids) text += (text.empty() ? "" : ", ") + id;
    return text;
}

}  // namespace

Uploads::Taken Uploads::take(UploadCommand command, const std::stop_token& stop) {
    const Content content(command, stop);
    const crypto::UploadReport report = crypto::inspectUpload(content.view(), {}, clock_.now());
    if (!report.acceptable()) refuse(report.findings);

    Taken taken{*report.leaf, {}};
    for (const store::CertificateRow& row : coveredBy(*report.leaf)) taken.covered.push_back(row.spec.id);
    const std::string chainPem = crypto::toPem(report.chain);
    for (const store::UploadRow& row : records_.uploads.list())
        taken.known = taken.known || row.chainPem == chainPem;
    if (!command.dryRun && !taken.known) store(*report.key, chainPem, *report.leaf);
    return taken;
}

std::vector<store::CertificateRow> Uploads::coveredBy(const CertificateSummary& leaf) {
    std::vector<store::CertificateRow> rows = records_.certificates.list();
    std::erase_if(rows,
                  [&](const store::CertificateRow& row) { return !coversAll(leaf.names, row.spec.names); });
    return rows;
}

void Uploads::store(const EVP_PKEY& privateKey, const std::string& chainPem, const CertificateSummary& leaf) {
    std::vector<std::string> users;
    for (const store::CertificateRow& row : coveredBy(leaf))
        for (const std::string& user : row.spec.users)
            if (std::find(users.begin(), users.end(), user) == users.end()) users.push_back(user);
    // The same leaf uploaded twice at once must not get one key.
    const std::lock_guard lock(storing_);
    const KeyId key = keys_.intend("upload:" + leaf.sha256);
    try {
        const hal::KeyInfo info =
            keys_.store().import({key, {}, hal::KeyPolicy::preferTpm, {users, {}}, leaf.names.front().value},
                                 crypto::PrivatePem(privateKey).view());
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

UploadChoice Uploads::best(const CertificateSpec& spec, TimePoint now) {
    std::vector<Credential> uploads = records_.credentials.history(spec.id);
    std::erase_if(uploads, [&](const Credential& one) {
        return one.source != Source::uploaded || !keys_.store().find(one.key);
    });
    return chooseUpload(spec.names, uploads, now);
}

void Uploads::remove(std::int64_t id) {
    KeyId key;
    records_.database.transaction([&] {
        const std::vector<store::UploadRow> rows = records_.uploads.list();
        const auto row =
            std::find_if(rows.begin(), rows.end(), [&](const store::UploadRow& one) { return one.id == id; });
        if (row == rows.end())
            reject("upload-not-found",
                   "there is no upload " + std::to_string(id) + "; see: certmgrctl list --uploaded");
        if (const auto served = records_.uploads.servedBy(id); !served.empty())
            reject("in-use",
                   "the upload " + std::to_string(id) + " serves " + listed(served) +
                       "; bring a better one first, or take the names out of the services' profiles");
        key = row->key;
        records_.uploads.remove(id);
    });
    keys_.discard(key);
    log_.write(
        {Severity::notice, event_id::uploadDeleted, "the upload " + std::to_string(id) + " is deleted", {}});
}

}  // namespace certmgr::engine
