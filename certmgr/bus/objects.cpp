#include "certmgr/bus/objects.h"

#include <array>
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

constexpr std::uint64_t fixed = SD_BUS_VTABLE_PROPERTY_CONST;
constexpr std::uint64_t changing = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
constexpr std::uint64_t onRequest =
    SD_BUS_VTABLE_PROPERTY_EXPLICIT;  // left out of GetAll and GetManagedObjects

int chainPem(sd_bus* bus, const char*, const char*, const char*, sd_bus_message* reply, void* view,
             sd_bus_error* error) {
    auto* const objects = static_cast<Objects*>(sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus)));
    return reportErrors(error, [&] {
        check(append(reply, objects->commands().chainPem(static_cast<const CertificateView*>(view)->id)),
              "append");
    });
}

constexpr std::array certificateProperties{
    property<&CertificateView::id, fixed>("Id", "s"),
    property<&CertificateView::names, changing>("Names", "as"),
    property<&CertificateView::services, changing>("Services", "as"),
    property<&CertificateView::state, changing>("State", "s"),
    property<&CertificateView::activity, changing>("Activity", "s"),
    property<&CertificateView::subject, changing>("Subject", "s"),
    property<&CertificateView::issuer, changing>("Issuer", "s"),
    property<&CertificateView::serial, changing>("Serial", "s"),
    property<&CertificateView::sha256, changing>("Sha256", "s"),
    property<&CertificateView::notBefore, changing>("NotBefore", "t"),
    property<&CertificateView::notAfter, changing>("NotAfter", "t"),
    property<&CertificateView::generation, changing>("Generation", "x"),
    property<&CertificateView::keyPolicy, changing>("KeyPolicy", "s"),
    property<&CertificateView::keyBackend, changing>("KeyBackend", "s"),
    property<&CertificateView::keyReason, changing>("KeyReason", "s"),
    property<&CertificateView::keyReasonCode, changing>("KeyReasonCode", "s"),
    property<&CertificateView::keyAlgorithm, changing>("KeyAlgorithm", "s"),
    property<&CertificateView::reason, changing>("Reason", "s"),
    property<&CertificateView::lastError, changing>("LastError", "s"),
    property<&CertificateView::lastProblem, changing>("LastProblem", "s"),
    property<&CertificateView::lastAttempt, changing>("LastAttempt", "t"),
    property<&CertificateView::nextAttempt, changing>("NextAttempt", "t"),
    property<&CertificateView::failures, changing>("Failures", "t"),
    property<&CertificateView::lostOrders, changing>("LostOrders", "t"),
    property<&CertificateView::lastLostOrder, changing>("LastLostOrder", "t"),
    property<&CertificateView::abandonedOrders, changing>("AbandonedOrders", "t"),
    property<&CertificateView::lastAbandonedOrder, changing>("LastAbandonedOrder", "t"),
    property<&CertificateView::renewAt, changing>("RenewAt", "t"),
    property<&CertificateView::renewalExplanation, changing>("RenewalExplanation", "s"),
    property<&CertificateView::acmeProfile, changing>("AcmeProfile", "s"),
    property<&CertificateView::acmeProfileReason, changing>("AcmeProfileReason", "s"),
    property<&CertificateView::chainReason, changing>("ChainReason", "s"),
    property<&CertificateView::revocation, changing>("Revocation", "s"),
    property<&CertificateView::pause, changing>("Pause", "s"),
    property<&CertificateView::proof, changing>("Proof", "s"),
    Property<CertificateView>{SD_BUS_PROPERTY("Pem", "s", chainPem, 0, onRequest), nullptr}};

constexpr std::array serviceProperties{
    property<&ServiceView::name, fixed>("Name", "s"),
    property<&ServiceView::description, changing>("Description", "s"),
    property<&ServiceView::unit, changing>("Unit", "s"),
    property<&ServiceView::probe, changing>("Probe", "s"),
    property<&ServiceView::deployments, changing>("Deployments", "aa{sv}")};

constexpr std::array authorityProperties{
    property<&AuthorityView::id, fixed>("Id", "s"),
    property<&AuthorityView::role, changing>("Role", "s"),
    property<&AuthorityView::subject, changing>("Subject", "s"),
    property<&AuthorityView::issuer, changing>("Issuer", "s"),
    property<&AuthorityView::serial, changing>("Serial", "s"),
    property<&AuthorityView::sha256, changing>("Sha256", "s"),
    property<&AuthorityView::keyBackend, changing>("KeyBackend", "s"),
    property<&AuthorityView::keyReason, changing>("KeyReason", "s"),
    property<&AuthorityView::keyReasonCode, changing>("KeyReasonCode", "s"),
    property<&AuthorityView::crlNextUpdate, changing>("CrlNextUpdate", "t"),
    property<&AuthorityView::notBefore, changing>("NotBefore", "t"),
    property<&AuthorityView::notAfter, changing>("NotAfter", "t"),
    property<&AuthorityView::state, changing>("State", "s"),
    property<&AuthorityView::dependents, changing>("Dependents", "as"),
    property<&AuthorityView::certificatePem, onRequest>("Pem", "s")};

constexpr std::array uploadProperties{property<&UploadView::id, fixed>("Id", "s"),
                                      property<&UploadView::names, fixed>("Names", "as"),
                                      property<&UploadView::certificates, changing>("Certificates", "as"),
                                      property<&UploadView::serves, changing>("Serves", "as"),
                                      property<&UploadView::subject, fixed>("Subject", "s"),
                                      property<&UploadView::issuer, fixed>("Issuer", "s"),
                                      property<&UploadView::serial, fixed>("Serial", "s"),
                                      property<&UploadView::sha256, fixed>("Sha256", "s"),
                                      property<&UploadView::keyBackend, fixed>("KeyBackend", "s"),
                                      property<&UploadView::keyReason, fixed>("KeyReason", "s"),
                                      property<&UploadView::notBefore, fixed>("NotBefore", "t"),
                                      property<&UploadView::notAfter, fixed>("NotAfter", "t"),
                                      property<&UploadView::uploaded, fixed>("Uploaded", "t")};

constexpr std::array jobProperties{property<&JobView::id, fixed>("Id", "s"),
                                   property<&JobView::kind, fixed>("Kind", "s"),
                                   property<&JobView::certificate, changing>("Certificate", "s"),
                                   property<&JobView::state, changing>("State", "s"),
                                   property<&JobView::step, changing>("Step", "s"),
                                   property<&JobView::result, changing>("Result", "s"),
                                   property<&JobView::errorKind, changing>("ErrorKind", "s"),
                                   property<&JobView::errorCode, changing>("ErrorCode", "s"),
                                   property<&JobView::error, changing>("Error", "s")};

constexpr std::array alarmProperties{property<&AlarmView::id, fixed>("Id", "s"),
                                     property<&AlarmView::kind, fixed>("Kind", "s"),
                                     property<&AlarmView::severity, changing>("Severity", "s"),
                                     property<&AlarmView::subject, fixed>("Subject", "s"),
                                     property<&AlarmView::sentence, changing>("Sentence", "s"),
                                     property<&AlarmView::since, fixed>("Since", "t")};

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
    ChangedProperties changed;
};

Branch branchOf(Views::Kind kind) {
    switch (kind) {
        case Views::Kind::certificate:
            return {certificatePath, certificateInterface, changedOf<certificateProperties>};
        case Views::Kind::service:
            return {servicePath, serviceInterface, changedOf<serviceProperties>};
        case Views::Kind::authority:
            return {authorityPath, authorityInterface, changedOf<authorityProperties>};
        case Views::Kind::alarm:
            return {alarmPath, alarmInterface, changedOf<alarmProperties>};
        case Views::Kind::upload:
            return {uploadPath, uploadInterface, changedOf<uploadProperties>};
        case Views::Kind::job:
            break;
    }
    return {jobPath, jobInterface, changedOf<jobProperties>};
}

}  // namespace

Objects::Objects(sd_bus* bus, engine::Commands& commands, engine::Views& views)
    : bus_(bus), commands_(commands), views_(views) {
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_object_manager(bus_, &slot, rootPath), "sd_bus_add_object_manager");
    slots_.emplace_back(slot);
    add<&Views::certificates, certificatePath>(certificateInterface, vtable<certificateProperties>.data());
    add<&Views::services, servicePath>(serviceInterface, vtable<serviceProperties>.data());
    add<&Views::authorities, authorityPath>(authorityInterface, vtable<authorityProperties>.data());
    add<&Views::uploads, uploadPath>(uploadInterface, vtable<uploadProperties>.data());
    add<&Views::jobs, jobPath>(jobInterface, vtable<jobProperties>.data());
    add<&Views::alarms, alarmPath>(alarmInterface, vtable<alarmProperties>.data());
    views_.listen([this](const Views::Event& event) { signal(event); });
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
void Objects::signal(const Views::Event& event) {
    const Branch branch = branchOf(event.kind);
    const std::string path = pathOf(branch.prefix, event.id);
    switch (event.change) {
        case Views::Change::added:
            sd_bus_emit_interfaces_added(bus_, path.c_str(), branch.interface, nullptr);
            break;
        case Views::Change::changed:
            if (std::vector<char*> names = branch.changed(event.before, event.after); names.size() > 1)
                sd_bus_emit_properties_changed_strv(bus_, path.c_str(), branch.interface, names.data());
            break;
        case Views::Change::removed:
            sd_bus_emit_interfaces_removed(bus_, path.c_str(), branch.interface, nullptr);
            break;
    }
}

}  // namespace certmgr::bus
