#include "certmgr/ctl/commands.h"

#include <array>
#include <chrono>
#include <fstream>
#include <ostream>

#include <openssl/pem.h>

#include "certmgr/ctl/failure.h"
#include "certmgr/ctl/lookup.h"
#include "certmgr/ctl/passphrase_source.h"
#include "certmgr/ctl/upload_source.h"

namespace certmgr::ctl {
namespace {

Json valuesOf(const ObjectMap& objects) {
    Json list = Json::array();
    for (const auto& [id, properties] : objects) list.push_back(properties);
    return list;
}

std::string lastElement(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

std::string derOf(const std::string& pem) {
    const hal::Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const hal::X509Ptr certificate(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    const int size = certificate ? i2d_X509(certificate.get(), nullptr) : -1;
    if (size < 0) throw Failure(ExitStatus::failed, "certmgrd sent a root certificate that is no PEM");
    std::string der(static_cast<std::size_t>(size), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(certificate.get(), &out);
    return der;
}

Health shown(const Terminal& terminal, const Status& status) {
    terminal.out << (terminal.json ? dumped(status.json) + '\n' : status.text);
    return status.health;
}

}  // namespace

Now now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string dumped(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json awaitJob(Client& client, const Terminal& terminal, const std::string& job) {
    std::string shown;
    return client.await(job, [&](const Json& state) {
        const std::string step = state.value("Step", "");
        if (terminal.json || step.empty() || step == shown) return;
        terminal.progress << step << std::endl;
        shown = step;
    });
}

void throwIfFailed(const Json& job) {
    if (job.value("State", "") != "failed") return;
    throw Failure(statusForJobError(job.value("ErrorKind", ""), job.value("ErrorCode", "")),
                  job.value("Error", "it failed"));
}

void finish(Client& client, const Terminal& terminal, const std::string& job, Wait wait) {
    if (!wait.untilDone) {
        if (terminal.json)
            terminal.out << dumped({{"Id", lastElement(job)}, {"State", "started"}}) << '\n';
        else
            terminal.out << "job " << lastElement(job) << " is started\n";
        return;
    }
    const Json result = awaitJob(client, terminal, job);
    if (terminal.json) terminal.out << dumped(result) << '\n';
    throwIfFailed(result);
    if (!terminal.json) terminal.out << result.value("Result", "done") << '\n';
}

void listCertificates(Client& client, const Terminal& terminal) {
    std::map<Kind, ObjectMap> objects = client.allObjects();
    if (terminal.json)
        terminal.out << dumped(valuesOf(objects[Kind::certificate])) << '\n';
    else
        terminal.out << certificateTable(objects[Kind::certificate], objects[Kind::service], now(),
                                         terminal.width);
}

void listUploads(Client& client, const Terminal& terminal) {
    const ObjectMap uploads = client.objects(Kind::upload);
    if (terminal.json)
        terminal.out << dumped(valuesOf(uploads)) << '\n';
    else
        terminal.out << uploadTable(uploads);
}

void showCertificate(Client& client, const Terminal& terminal, const std::string& certificate) {
    std::map<Kind, ObjectMap> objects = client.allObjects();
    const std::string id = findCertificate(objects[Kind::certificate], certificate);
    Json properties = objects[Kind::certificate].at(id);
    properties["Deployments"] = deploymentsOf(id, objects[Kind::service]);
    properties["Pem"] = properties.value("State", "") == "none" ? "" : client.pem(Kind::certificate, id);
    if (terminal.json)
        terminal.out << dumped(properties) << '\n';
    else
        terminal.out << certificateDetails(properties, now());
}

void requestCertificate(Client& client, const Terminal& terminal, const std::vector<std::string>& names,
                        const RequestOptions& options, Wait wait) {
    finish(client, terminal, client.request(names, options), wait);
}

// The passphrase first: where both come by standard input it is the first line.
void uploadCertificate(Client& client, const Terminal& terminal, const UploadSource& source) {
    UploadOptions options;
    options.dryRun = source.dryRun;
    hal::UniqueFd passphrase;
    if (source.askPassphrase) passphrase = askPassphrase();
    if (source.passphraseFd >= 0) passphrase = passphraseFrom(source.passphraseFd);
    options.passphrase = passphrase.get();
    std::vector<hal::UniqueFd> files;
    for (const std::string& file : source.files) {
        files.push_back(openUpload(file));
        options.contents.push_back(files.back().get());
    }
    finish(client, terminal, client.upload(options), {});
}

void reissueCertificate(Client& client, const Terminal& terminal, const std::string& certificate, Wait wait) {
    const std::string id = findCertificate(client.objects(Kind::certificate), certificate);
    finish(client, terminal, client.reissue(id), wait);
}

void deleteCertificate(Client& client, const Terminal& terminal, const std::string& certificate) {
    const std::string id = findCertificate(client.objects(Kind::certificate), certificate);
    finish(client, terminal, client.remove(Kind::certificate, id), {});
}

void previewDeletion(Client& client, const Terminal& terminal, const std::string& certificate) {
    const ObjectMap certificates = client.objects(Kind::certificate);
    const std::string id = findCertificate(certificates, certificate);
    const Json& found = certificates.at(id);
    if (const Json services = found.value("Services", Json::array()); !services.empty())
        throw Failure(ExitStatus::refused,
                      id + " is asked for by the profile of " + services.front().get<std::string>());
    if (terminal.json)
        terminal.out << dumped(found) << '\n';
    else
        terminal.out << deletionText(found);
}

void deleteUpload(Client& client, const Terminal& terminal, const std::string& upload) {
    if (!client.objects(Kind::upload).contains(upload))
        throw Failure(ExitStatus::notFound,
                      "there is no upload \"" + upload + "\"; see: certmgrctl list --uploaded");
    finish(client, terminal, client.remove(Kind::upload, upload), {});
}

void showAuthorities(Client& client, const Terminal& terminal) {
    const ObjectMap authorities = client.objects(Kind::authority);
    if (terminal.json) {
        terminal.out << dumped(valuesOf(authorities)) << '\n';
        return;
    }
    if (authorities.empty()) terminal.out << "There is no authority yet.\n";
    const char* separator = "";
    for (const auto& [id, properties] : authorities) {
        terminal.out << separator << details(properties, now());
        separator = "\n";
    }
}

void downloadAuthority(Client& client, const Terminal& terminal, bool der, const std::string& file) {
    const std::string pem = client.rootCertificate();
    const std::string content = der ? derOf(pem) : pem;
    if (file.empty()) {
        terminal.out << (terminal.json ? dumped({{"Pem", pem}}) + '\n' : content);
        return;
    }
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    if (!(stream << content).flush()) throw Failure(ExitStatus::failed, file + " cannot be written");
}

Health showStatus(Client& client, const Terminal& terminal) {
    std::map<Kind, ObjectMap> objects = client.allObjects();
    return shown(terminal, statusOf(objects[Kind::alarm], objects[Kind::certificate]));
}

Health showUnknownStatus(const Terminal& terminal, const std::string& sentence) {
    return shown(terminal, unknownStatus(sentence));
}

void listServices(Client& client, const Terminal& terminal) {
    const ObjectMap services = client.objects(Kind::service);
    if (terminal.json)
        terminal.out << dumped(valuesOf(services)) << '\n';
    else
        terminal.out << serviceTable(services, now());
}

void checkServices(Client& client, const Terminal& terminal, const std::string& service) {
    if (!service.empty()) return finish(client, terminal, client.checkService(service), {});
    Json results = Json::array();
    Json firstFailed;
    for (const auto& [name, properties] : client.objects(Kind::service)) {
        Json job = awaitJob(client, terminal, client.checkService(name));
        const bool failed = job.value("State", "") == "failed";
        if (!terminal.json)
            terminal.out << name << ": " << job.value(failed ? "Error" : "Result", "") << '\n';
        if (failed && firstFailed.is_null()) firstFailed = job;
        job["Service"] = name;
        results.push_back(std::move(job));
    }
    if (terminal.json) terminal.out << dumped(results) << '\n';
    if (!firstFailed.is_null()) throwIfFailed(firstFailed);
}

void watchChanges(Client& client, const Terminal& terminal) {
    client.subscribe();
    std::map<Kind, ObjectMap> known = client.allObjects();
    client.watch([&](Kind kind, const std::string& id, const Json& properties) {
        const auto found = known[kind].find(id);
        const Json before = found == known[kind].end() ? Json() : found->second;
        Json after = before.is_object() && properties.is_object() ? before : Json();
        if (properties.is_object()) after.update(properties);
        if (terminal.json) {
            const char* change = properties.is_null() ? "removed" : before.is_null() ? "added" : "changed";
            terminal.out << dumped({{"Change", change},
                                    {"Kind", toString(kind)},
                                    {"Id", id},
                                    {"Properties", properties}},
                                   -1)
                         << std::endl;
        } else if (const std::string line = describeChange(kind, id, before, after); !line.empty()) {
            const auto second = static_cast<std::uint64_t>(now().time_since_epoch().count());
            terminal.out << formatClock(second) << ' ' << line << std::endl;
        }
        if (after.is_null())
            known[kind].erase(id);
        else
            known[kind][id] = std::move(after);
    });
}

}  // namespace certmgr::ctl
