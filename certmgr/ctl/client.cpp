#include "certmgr/ctl/client.h"

#include <array>
#include <cstdlib>
#include <system_error>

#include <unistd.h>

#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

constexpr char destination[] = "org.certmgr1";
constexpr char rootPath[] = "/org/certmgr1";
constexpr char managerInterface[] = "org.certmgr1.Manager";
constexpr char authorityManagerInterface[] = "org.certmgr1.AuthorityManager";
constexpr char propertiesInterface[] = "org.freedesktop.DBus.Properties";
constexpr char objectManagerInterface[] = "org.freedesktop.DBus.ObjectManager";
// A person may be asked for a password meanwhile; certmgrd gives up after 120 s.
constexpr std::uint64_t callTimeoutMicroseconds = 150'000'000;

struct Naming {
    Kind kind;
    const char* name;
    const char* path;
    const char* interface;
};
constexpr std::array<Naming, 6> namings = {{
    {Kind::certificate, "certificate", "/org/certmgr1/certificate", "org.certmgr1.Certificate"},
    {Kind::service, "service", "/org/certmgr1/service", "org.certmgr1.Service"},
    {Kind::authority, "authority", "/org/certmgr1/authority", "org.certmgr1.Authority"},
    {Kind::upload, "upload", "/org/certmgr1/upload", "org.certmgr1.Upload"},
    {Kind::job, "job", "/org/certmgr1/job", "org.certmgr1.Job"},
    {Kind::alarm, "alarm", "/org/certmgr1/alarm", "org.certmgr1.Alarm"},
}};

const Naming& namingOf(Kind kind) {
    return namings.at(static_cast<std::size_t>(kind));
}

using CString = hal::Handle<char, std::free>;

std::string pathOf(Kind kind, const std::string& id) {
    char* path = nullptr;
    if (sd_bus_path_encode(namingOf(kind).path, id.c_str(), &path) < 0)
        throw Failure(ExitStatus::usage, "\"" + id + "\" cannot be the name of an object");
    return CString(path).get();
}

std::string idOf(Kind kind, const std::string& path) {
    char* id = nullptr;
    if (sd_bus_path_decode(path.c_str(), namingOf(kind).path, &id) <= 0) return {};
    return CString(id).get();
}

int require(int result, const std::string& what) {
    if (result >= 0) return result;
    throw Failure(ExitStatus::failed, what + ": " + std::generic_category().message(-result));
}

[[noreturn]] void throwBusError(const sd_bus_error& error) {
    const std::string name = error.name;
    const ExitStatus status = statusForBusError(name);
    const std::string sentence = error.message && *error.message ? error.message : name;
    if (status == ExitStatus::unreachable)
        throw Failure(status, "certmgrd does not answer on the system bus (" + sentence +
                                  "); is it running? See: systemctl status certmgr");
    if (status == ExitStatus::denied) throw Failure(status, "access denied: " + sentence);
    throw Failure(status, sentence);
}

}  // namespace

const char* toString(Kind kind) noexcept {
    return namings[static_cast<std::size_t>(kind)].name;
}

std::optional<Kind> kindFrom(const std::string& interface) {
    for (const Naming& naming : namings)
        if (interface == naming.interface) return naming.kind;
    return std::nullopt;
}

Client::Client() {
    sd_bus* bus = nullptr;
    const int opened = sd_bus_open_system(&bus);
    if (opened < 0)
        throw Failure(ExitStatus::unreachable,
                      "the system bus cannot be reached: " + std::generic_category().message(-opened));
    bus_.reset(bus);
}

Client::Message Client::newCall(const std::string& path, const char* interface, const char* member) {
    sd_bus_message* created = nullptr;
    require(
        sd_bus_message_new_method_call(bus_.get(), &created, destination, path.c_str(), interface, member),
        "a call cannot be made");
    Message message(created);
    require(sd_bus_message_set_allow_interactive_authorization(created, ::isatty(STDIN_FILENO)),
            "a call cannot be made");
    return message;
}

Client::Message Client::newAuthorityCall(const char* member) {
    return newCall(rootPath, authorityManagerInterface, member);
}

Client::Message Client::call(const Message& message) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    if (sd_bus_call(bus_.get(), message.get(), callTimeoutMicroseconds, &error, &reply) < 0) {
        const hal::Handle<sd_bus_error, sd_bus_error_free> owner(&error);
        throwBusError(error);
    }
    return Message(reply);
}

ObjectMap Client::objects(Kind kind) {
    return allObjects()[kind];
}

std::map<Kind, ObjectMap> Client::allObjects() {
    const Message reply = call(newCall(rootPath, objectManagerInterface, "GetManagedObjects"));
    const Json managed = readValue(reply.get());
    std::map<Kind, ObjectMap> objects;
    for (const auto& [path, interfaces] : managed.items())
        for (const auto& [interface, properties] : interfaces.items())
            if (const std::optional<Kind> kind = kindFrom(interface))
                objects[*kind][idOf(*kind, path)] = properties;
    return objects;
}

std::string Client::pem(Kind kind, const std::string& id) {
    const Message message = newCall(pathOf(kind, id), propertiesInterface, "Get");
    require(sd_bus_message_append(message.get(), "ss", namingOf(kind).interface, "Pem"),
            "a call cannot be made");
    return readValue(call(message).get()).get<std::string>();
}

std::string Client::rootCertificate() {
    return readValue(call(newCall(rootPath, managerInterface, "GetRootCertificate")).get())
        .get<std::string>();
}

std::string Client::startJob(const Message& message) {
    subscribe();  // before the job can end
    return readValue(call(message).get()).get<std::string>();
}

void Client::appendTexts(const Message& message, const std::vector<std::string>& texts) {
    const std::string what = "a call cannot be made";
    require(sd_bus_message_open_container(message.get(), SD_BUS_TYPE_ARRAY, "s"), what);
    for (const std::string& text : texts)
        if (sd_bus_message_append(message.get(), "s", text.c_str()) < 0)
            throw Failure(ExitStatus::refused, "\"" + text + "\" is no valid text");
    require(sd_bus_message_close_container(message.get()), what);
}

std::string Client::request(const std::vector<std::string>& names, const RequestOptions& options) {
    const Message message = newCall(rootPath, managerInterface, "Request");
    sd_bus_message* const m = message.get();
    const std::string what = "a call cannot be made";
    appendTexts(message, names);
    require(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}"), what);
    if (!options.keyAlgorithm.empty())
        require(sd_bus_message_append(m, "{sv}", "key-algorithm", "s", options.keyAlgorithm.c_str()), what);
    if (!options.keyPolicy.empty())
        require(sd_bus_message_append(m, "{sv}", "key-policy", "s", options.keyPolicy.c_str()), what);
    if (!options.acmeProfile.empty())
        require(sd_bus_message_append(m, "{sv}", "acme-profile", "s", options.acmeProfile.c_str()), what);
    if (options.acmeProfileRequired)
        require(sd_bus_message_append(m, "{sv}", "acme-profile-required", "b", 1), what);
    if (!options.acme) require(sd_bus_message_append(m, "{sv}", "acme", "b", 0), what);
    require(sd_bus_message_close_container(m), what);
    return startJob(message);
}

std::string Client::upload(const UploadOptions& options) {
    const Message message = newCall(rootPath, managerInterface, "UploadWithOptions");
    sd_bus_message* const m = message.get();
    const std::string what = "a call cannot be made";
    require(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "h"), what);
    for (const int content : options.contents) require(sd_bus_message_append(m, "h", content), what);
    require(sd_bus_message_close_container(m), what);
    require(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}"), what);
    if (options.passphrase >= 0)
        require(sd_bus_message_append(m, "{sv}", "passphrase", "h", options.passphrase), what);
    if (options.dryRun) require(sd_bus_message_append(m, "{sv}", "dry-run", "b", 1), what);
    require(sd_bus_message_close_container(m), what);
    return startJob(message);
}

std::string Client::reissue(const std::string& certificate) {
    return callWithPath("Reissue", Kind::certificate, certificate);
}

std::string Client::remove(Kind kind, const std::string& id) {
    return callWithPath("Delete", kind, id);
}

std::string Client::checkService(const std::string& service) {
    return callWithPath("CheckService", Kind::service, service);
}

std::string Client::callWithPath(const char* member, Kind kind, const std::string& id) {
    const Message message = newCall(rootPath, managerInterface, member);
    require(sd_bus_message_append(message.get(), "o", pathOf(kind, id).c_str()), "a call cannot be made");
    return startJob(message);
}

std::string Client::objectPath(Kind kind, const std::string& id) {
    return pathOf(kind, id);
}

Json Client::getAll(const std::string& path, const char* interface) {
    const Message message = newCall(path, propertiesInterface, "GetAll");
    require(sd_bus_message_append(message.get(), "s", interface), "a call cannot be made");
    return readValue(call(message).get());
}

void Client::subscribe() {
    if (!slots_.empty()) return;
    for (const char* rule : {"type='signal',sender='org.certmgr1',path_namespace='/org/certmgr1'",
                             "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                             "member='NameOwnerChanged',arg0='org.certmgr1'"}) {
        sd_bus_slot* slot = nullptr;
        require(sd_bus_add_match(bus_.get(), &slot, rule, signalled, this),
                "the signals cannot be subscribed to");
        slots_.emplace_back(slot);
    }
}

int Client::signalled(sd_bus_message* signal, void* client, sd_bus_error*) {
    try {
        static_cast<Client*>(client)->take(signal);
    } catch (const std::exception&) {
        static_cast<Client*>(client)->daemonGone_ = true;  // it does not speak org.certmgr1
    }
    return 0;
}

void Client::take(sd_bus_message* signal) {
    if (sd_bus_message_is_signal(signal, "org.freedesktop.DBus", "NameOwnerChanged") > 0) {
        const auto name = readValue(signal), oldOwner = readValue(signal), newOwner = readValue(signal);
        daemonGone_ = daemonGone_ || newOwner.get<std::string>().empty();
    } else if (sd_bus_message_is_signal(signal, propertiesInterface, "PropertiesChanged") > 0) {
        const auto interface = readValue(signal).get<std::string>();
        signals_.push_back({sd_bus_message_get_path(signal), interface, readValue(signal)});
    } else if (sd_bus_message_is_signal(signal, objectManagerInterface, "InterfacesAdded") > 0) {
        const auto path = readValue(signal).get<std::string>();
        const Json interfaces = readValue(signal);
        for (const auto& [interface, properties] : interfaces.items())
            signals_.push_back({path, interface, properties});
    } else if (sd_bus_message_is_signal(signal, objectManagerInterface, "InterfacesRemoved") > 0) {
        const auto path = readValue(signal).get<std::string>();
        for (const Json& interface : readValue(signal))
            signals_.push_back({path, interface.get<std::string>(), nullptr});
    }
}

void Client::processOne() {
    const int processed = sd_bus_process(bus_.get(), nullptr);
    if (processed == 0 && signals_.empty() && !daemonGone_) sd_bus_wait(bus_.get(), UINT64_MAX);
    if (processed < 0 || (daemonGone_ && signals_.empty()))
        throw Failure(ExitStatus::unreachable, processed < 0 ? "the connection to the system bus was lost"
                                                             : "certmgrd left the system bus meanwhile");
}

Json Client::await(const std::string& job, const std::function<void(const Json&)>& progress) {
    Json state = getAll(job, namingOf(Kind::job).interface);
    while (true) {
        progress(state);
        const std::string now = state.value("State", "");
        if (now == "done" || now == "failed") return state;
        while (signals_.empty()) processOne();
        for (const Signal& signal : std::exchange(signals_, {}))
            if (signal.path == job && signal.properties.is_object()) state.update(signal.properties);
    }
}

void Client::watch(const Watcher& watcher) {
    subscribe();
    while (true) {
        while (signals_.empty()) processOne();
        for (const Signal& signal : std::exchange(signals_, {}))
            if (const std::optional<Kind> kind = kindFrom(signal.interface))
                watcher(*kind, idOf(*kind, signal.path), signal.properties);
    }
}

}  // namespace certmgr::ctl
