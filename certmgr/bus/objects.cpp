#include "certmgr/bus/objects.h"

#include <cstdlib>

#include "certmgr/bus/errors.h"
#include "certmgr/bus/names.h"
#include "certmgr/bus/properties.h"

namespace certmgr::bus {
namespace {

using engine::AlarmView;
using engine::AuthorityView;
using engine::CertificateView;
using engine::JobView;
using engine::ServiceView;
using engine::UploadView;
using engine::Views;

constexpr auto fixed = SD_BUS_VTABLE_PROPERTY_CONST;
constexpr auto changing = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
constexpr auto onRequest = SD_BUS_VTABLE_PROPERTY_EXPLICIT;  // left out of GetAll and GetManagedObjects

int chainPem(sd_bus* bus, const char*, const char*, const char*, sd_bus_message* reply, void* view,
             sd_bus_error* error) {
    auto* const objects = static_cast<Objects*>(sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus)));
    return reportErrors(error, [&] {
        check(append(reply, objects->commands().chainPem(static_cast<const CertificateView*>(view)->id)),
              "append");
    });
}

constexpr sd_bus_vtable certificateVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "s", property<&CertificateView::id>, 0, fixed),
    SD_BUS_PROPERTY("Names", "as", property<&CertificateView::names>, 0, changing),
    SD_BUS_PROPERTY("Services", "as", property<&CertificateView::services>, 0, changing),
    SD_BUS_PROPERTY("State", "s", property<&CertificateView::state>, 0, changing),
    SD_BUS_PROPERTY("Activity", "s", property<&CertificateView::activity>, 0, changing),
    SD_BUS_PROPERTY("Subject", "s", property<&CertificateView::subject>, 0, changing),
    SD_BUS_PROPERTY("Issuer", "s", property<&CertificateView::issuer>, 0, changing),
    SD_BUS_PROPERTY("Serial", "s", property<&CertificateView::serial>, 0, changing),
    SD_BUS_PROPERTY("Sha256", "s", property<&CertificateView::sha256>, 0, changing),
    SD_BUS_PROPERTY("NotBefore", "t", property<&CertificateView::notBefore>, 0, changing),
    SD_BUS_PROPERTY("NotAfter", "t", property<&CertificateView::notAfter>, 0, changing),
    SD_BUS_PROPERTY("Generation", "x", property<&CertificateView::generation>, 0, changing),
    SD_BUS_PROPERTY("KeyPolicy", "s", property<&CertificateView::keyPolicy>, 0, changing),
    SD_BUS_PROPERTY("KeyBackend", "s", property<&CertificateView::keyBackend>, 0, changing),
    SD_BUS_PROPERTY("KeyReason", "s", property<&CertificateView::keyReason>, 0, changing),
    SD_BUS_PROPERTY("KeyReasonCode", "s", property<&CertificateView::keyReasonCode>, 0, changing),
    SD_BUS_PROPERTY("KeyAlgorithm", "s", property<&CertificateView::keyAlgorithm>, 0, changing),
    SD_BUS_PROPERTY("Reason", "s", property<&CertificateView::reason>, 0, changing),
    SD_BUS_PROPERTY("LastError", "s", property<&CertificateView::lastError>, 0, changing),
    SD_BUS_PROPERTY("LastProblem", "s", property<&CertificateView::lastProblem>, 0, changing),
    SD_BUS_PROPERTY("LastAttempt", "t", property<&CertificateView::lastAttempt>, 0, changing),
    SD_BUS_PROPERTY("NextAttempt", "t", property<&CertificateView::nextAttempt>, 0, changing),
    SD_BUS_PROPERTY("Failures", "t", property<&CertificateView::failures>, 0, changing),
    SD_BUS_PROPERTY("LostOrders", "t", property<&CertificateView::lostOrders>, 0, changing),
    SD_BUS_PROPERTY("LastLostOrder", "t", property<&CertificateView::lastLostOrder>, 0, changing),
    SD_BUS_PROPERTY("AbandonedOrders", "t", property<&CertificateView::abandonedOrders>, 0, changing),
    SD_BUS_PROPERTY("LastAbandonedOrder", "t", property<&CertificateView::lastAbandonedOrder>, 0, changing),
    SD_BUS_PROPERTY("RenewAt", "t", property<&CertificateView::renewAt>, 0, changing),
    SD_BUS_PROPERTY("RenewalExplanation", "s", property<&CertificateView::renewalExplanation>, 0, changing),
    SD_BUS_PROPERTY("AcmeProfile", "s", property<&CertificateView::acmeProfile>, 0, changing),
    SD_BUS_PROPERTY("AcmeProfileReason", "s", property<&CertificateView::acmeProfileReason>, 0, changing),
    SD_BUS_PROPERTY("ChainReason", "s", property<&CertificateView::chainReason>, 0, changing),
    SD_BUS_PROPERTY("Revocation", "s", property<&CertificateView::revocation>, 0, changing),
    SD_BUS_PROPERTY("Pause", "s", property<&CertificateView::pause>, 0, changing),
    SD_BUS_PROPERTY("Proof", "s", property<&CertificateView::proof>, 0, changing),
    SD_BUS_PROPERTY("Pem", "s", chainPem, 0, onRequest),
    SD_BUS_VTABLE_END};

constexpr sd_bus_vtable serviceVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", property<&ServiceView::name>, 0, fixed),
    SD_BUS_PROPERTY("Description", "s", property<&ServiceView::description>, 0, changing),
    SD_BUS_PROPERTY("Unit", "s", property<&ServiceView::unit>, 0, changing),
    SD_BUS_PROPERTY("Probe", "s", property<&ServiceView::probe>, 0, changing),
    SD_BUS_PROPERTY("Deployments", "aa{sv}", property<&ServiceView::deployments>, 0, changing),
    SD_BUS_VTABLE_END};

constexpr sd_bus_vtable authorityVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "s", property<&AuthorityView::id>, 0, fixed),
    SD_BUS_PROPERTY("Role", "s", property<&AuthorityView::role>, 0, changing),
    SD_BUS_PROPERTY("Subject", "s", property<&AuthorityView::subject>, 0, changing),
    SD_BUS_PROPERTY("Issuer", "s", property<&AuthorityView::issuer>, 0, changing),
    SD_BUS_PROPERTY("Serial", "s", property<&AuthorityView::serial>, 0, changing),
    SD_BUS_PROPERTY("Sha256", "s", property<&AuthorityView::sha256>, 0, changing),
    SD_BUS_PROPERTY("KeyBackend", "s", property<&AuthorityView::keyBackend>, 0, changing),
    SD_BUS_PROPERTY("KeyReason", "s", property<&AuthorityView::keyReason>, 0, changing),
    SD_BUS_PROPERTY("KeyReasonCode", "s", property<&AuthorityView::keyReasonCode>, 0, changing),
    SD_BUS_PROPERTY("CrlNextUpdate", "t", property<&AuthorityView::crlNextUpdate>, 0, changing),
    SD_BUS_PROPERTY("NotBefore", "t", property<&AuthorityView::notBefore>, 0, changing),
    SD_BUS_PROPERTY("NotAfter", "t", property<&AuthorityView::notAfter>, 0, changing),
    SD_BUS_PROPERTY("State", "s", property<&AuthorityView::state>, 0, changing),
    SD_BUS_PROPERTY("Dependents", "as", property<&AuthorityView::dependents>, 0, changing),
    SD_BUS_PROPERTY("Pem", "s", property<&AuthorityView::certificatePem>, 0, onRequest),
    SD_BUS_VTABLE_END};

constexpr sd_bus_vtable uploadVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "s", property<&UploadView::id>, 0, fixed),
    SD_BUS_PROPERTY("Names", "as", property<&UploadView::names>, 0, fixed),
    SD_BUS_PROPERTY("Certificates", "as", property<&UploadView::certificates>, 0, changing),
    SD_BUS_PROPERTY("Serves", "as", property<&UploadView::serves>, 0, changing),
    SD_BUS_PROPERTY("Subject", "s", property<&UploadView::subject>, 0, fixed),
    SD_BUS_PROPERTY("Issuer", "s", property<&UploadView::issuer>, 0, fixed),
    SD_BUS_PROPERTY("Serial", "s", property<&UploadView::serial>, 0, fixed),
    SD_BUS_PROPERTY("Sha256", "s", property<&UploadView::sha256>, 0, fixed),
    SD_BUS_PROPERTY("KeyBackend", "s", property<&UploadView::keyBackend>, 0, fixed),
    SD_BUS_PROPERTY("KeyReason", "s", property<&UploadView::keyReason>, 0, fixed),
    SD_BUS_PROPERTY("NotBefore", "t", property<&UploadView::notBefore>, 0, fixed),
    SD_BUS_PROPERTY("NotAfter", "t", property<&UploadView::notAfter>, 0, fixed),
    SD_BUS_PROPERTY("Uploaded", "t", property<&UploadView::uploaded>, 0, fixed),
    SD_BUS_VTABLE_END};

constexpr sd_bus_vtable jobVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "s", property<&JobView::id>, 0, fixed),
    SD_BUS_PROPERTY("Kind", "s", property<&JobView::kind>, 0, fixed),
    SD_BUS_PROPERTY("Certificate", "s", property<&JobView::certificate>, 0, changing),
    SD_BUS_PROPERTY("State", "s", property<&JobView::state>, 0, changing),
    SD_BUS_PROPERTY("Step", "s", property<&JobView::step>, 0, changing),
    SD_BUS_PROPERTY("Result", "s", property<&JobView::result>, 0, changing),
    SD_BUS_PROPERTY("ErrorKind", "s", property<&JobView::errorKind>, 0, changing),
    SD_BUS_PROPERTY("ErrorCode", "s", property<&JobView::errorCode>, 0, changing),
    SD_BUS_PROPERTY("Error", "s", property<&JobView::error>, 0, changing),
    SD_BUS_VTABLE_END};

constexpr sd_bus_vtable alarmVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "s", property<&AlarmView::id>, 0, fixed),
    SD_BUS_PROPERTY("Kind", "s", property<&AlarmView::kind>, 0, fixed),
    SD_BUS_PROPERTY("Severity", "s", property<&AlarmView::severity>, 0, changing),
    SD_BUS_PROPERTY("Subject", "s", property<&AlarmView::subject>, 0, fixed),
    SD_BUS_PROPERTY("Sentence", "s", property<&AlarmView::sentence>, 0, changing),
    SD_BUS_PROPERTY("Since", "t", property<&AlarmView::since>, 0, fixed),
    SD_BUS_VTABLE_END};

template <auto views, const char* prefix>
int find(sd_bus*, const char* path, const char*, void* objects, void** found, sd_bus_error* error) {
    bool present = false;
    const int result = reportErrors(error, [&] {
        const auto& map = (static_cast<const Objects*>(objects)->views().*views)();
        const auto entry = map.find(idOf(prefix, path));
        present = entry != map.end();
        // sd-bus passes it on as void*; the getters only read it.
        if (present) *found = const_cast<void*>(static_cast<const void*>(&entry->second));
    });
    return result < 0 ? result : present;
}

// sd-bus frees the list and its strings with free().
template <auto views, const char* prefix>
int enumerate(sd_bus*, const char*, void* objects, char*** paths, sd_bus_error*) {
    const auto& map = (static_cast<const Objects*>(objects)->views().*views)();
    *paths = static_cast<char**>(std::calloc(map.size() + 1, sizeof(char*)));
    if (*paths == nullptr) return -ENOMEM;
    char** next = *paths;
    for (const auto& entry : map)
        if (sd_bus_path_encode(prefix, entry.first.c_str(), next) >= 0) ++next;
    return 0;
}

struct Branch {
    const char* prefix;
    const char* interface;
};

Branch branchOf(Views::Kind kind) {
    switch (kind) {
        case Views::Kind::certificate:
            return {certificatePath, certificateInterface};
        case Views::Kind::service:
            return {servicePath, serviceInterface};
        case Views::Kind::authority:
            return {authorityPath, authorityInterface};
        case Views::Kind::alarm:
            return {alarmPath, alarmInterface};
        case Views::Kind::upload:
            return {uploadPath, uploadInterface};
        case Views::Kind::job:
            break;
    }
    return {jobPath, jobInterface};
}

}  // namespace

Objects::Objects(sd_bus* bus, engine::Commands& commands, engine::Views& views)
    : bus_(bus), commands_(commands), views_(views) {
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_object_manager(bus_, &slot, rootPath), "sd_bus_add_object_manager");
    slots_.emplace_back(slot);
    add<&Views::certificates, certificatePath>(certificateInterface, certificateVtable);
    add<&Views::services, servicePath>(serviceInterface, serviceVtable);
    add<&Views::authorities, authorityPath>(authorityInterface, authorityVtable);
    add<&Views::uploads, uploadPath>(uploadInterface, uploadVtable);
    add<&Views::jobs, jobPath>(jobInterface, jobVtable);
    add<&Views::alarms, alarmPath>(alarmInterface, alarmVtable);
    views_.listen(
        [this](Views::Kind kind, const std::string& id, Views::Change change) { signal(kind, id, change); });
}

Objects::~Objects() {
    views_.listen({});
}

template <auto views, const char* prefix>
void Objects::add(const char* interface, const sd_bus_vtable* vtable) {
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_fallback_vtable(bus_, &slot, prefix, interface, vtable, find<views, prefix>, this),
          "sd_bus_add_fallback_vtable");
    slots_.emplace_back(slot);
    check(sd_bus_add_node_enumerator(bus_, &slot, prefix, enumerate<views, prefix>, this),
          "sd_bus_add_node_enumerator");
    slots_.emplace_back(slot);
}

// A signal that cannot be sent means a lost bus, which the event loop reports; the views' change stands all
// the same.
void Objects::signal(Views::Kind kind, const std::string& id, Views::Change change) {
    const Branch branch = branchOf(kind);
    const std::string path = pathOf(branch.prefix, id);
    switch (change) {
        case Views::Change::added:
            sd_bus_emit_interfaces_added(bus_, path.c_str(), branch.interface, nullptr);
            break;
        case Views::Change::changed:
            sd_bus_emit_properties_changed_strv(bus_, path.c_str(), branch.interface, nullptr);
            break;
        case Views::Change::removed:
            sd_bus_emit_interfaces_removed(bus_, path.c_str(), branch.interface, nullptr);
            break;
    }
}

}  // namespace certmgr::bus
