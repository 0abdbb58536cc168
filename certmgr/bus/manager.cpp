#include "certmgr/bus/manager.h"

#include "certmgr/bus/arguments.h"
#include "certmgr/bus/methods.h"
#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

int version(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*, sd_bus_error*) {
    return sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, CERTMGR_VERSION);
}

constexpr sd_bus_vtable managerVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Request", SD_BUS_ARGS("as", names, "a{sv}", options), SD_BUS_RESULT("o", job),
                            method<&Manager::request>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Upload", SD_BUS_ARGS("h", content, "b", dry_run), SD_BUS_RESULT("o", job),
                            method<&Manager::upload>, anyone),
    SD_BUS_METHOD_WITH_ARGS("UploadWithOptions", SD_BUS_ARGS("ah", contents, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method<&Manager::uploadWithOptions>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Reissue", SD_BUS_ARGS("o", certificate), SD_BUS_RESULT("o", job),
                            method<&Manager::reissue>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Delete", SD_BUS_ARGS("o", object), SD_BUS_RESULT("o", job),
                            method<&Manager::remove>, anyone),
    SD_BUS_METHOD_WITH_ARGS("CheckService", SD_BUS_ARGS("o", service), SD_BUS_RESULT("o", job),
                            method<&Manager::checkService>, anyone),
    SD_BUS_METHOD_WITH_ARGS("GetRootCertificate", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", pem),
                            method<&Manager::getRootCertificate>, anyone),
    SD_BUS_PROPERTY("Version", "s", version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END};

engine::RequestCommand readRequest(sd_bus_message* call) {
    engine::RequestCommand command;
    command.names = readTexts(call);
    readOptions(call, {{"key-algorithm", &command.keyAlgorithm},
                       {"key-policy", &command.keyPolicy},
                       {"acme", &command.acme},
                       {"acme-profile", &command.acmeProfile.name},
                       {"acme-profile-required", &command.acmeProfile.required}});
    return command;
}

engine::UploadCommand readUpload(sd_bus_message* call) {
    engine::UploadCommand command;
    command.contents.push_back(readDescriptor(call, Direction::in));
    command.dryRun = readBoolean(call);
    return command;
}

engine::UploadCommand readUploadWithOptions(sd_bus_message* call) {
    engine::UploadCommand command;
    command.contents = readDescriptors(call);
    readOptions(call, {{"passphrase", &command.passphrase}, {"dry-run", &command.dryRun}});
    return command;
}

template <class Map>
std::string existing(const Map& map, const char* kind, const char* prefix, const std::string& path) {
    const std::string id = idOf(prefix, path);
    if (map.contains(id)) return id;
    throw hal::Error(hal::ErrorKind::rejected, std::string(kind) + "-not-found",
                     "there is no " + std::string(kind) + " " + path);
}

}  // namespace

Manager::Manager(sd_bus* bus, Authorizer& authorizer, engine::Commands& commands)
    : authorizer_(authorizer),
      commands_(commands),
      slot_(addInterface(bus, managerInterface, managerVtable, this)) {}

void Manager::request(sd_bus_message* call) {
    manage(call, [this, call] { return commands_.request(readRequest(call)); });
}

void Manager::upload(sd_bus_message* call) {
    manage(call, [this, call] { return commands_.upload(readUpload(call)); });
}

void Manager::uploadWithOptions(sd_bus_message* call) {
    manage(call, [this, call] { return commands_.upload(readUploadWithOptions(call)); });
}

void Manager::reissue(sd_bus_message* call) {
    manage(call, [this, call] {
        return commands_.reissue(
            existing(commands_.views().certificates(), "certificate", certificatePath, readPath(call)));
    });
}

void Manager::remove(sd_bus_message* call) {
    manage(call, [this, call] {
        const std::string path = readPath(call);
        if (!idOf(uploadPath, path).empty())
            return commands_.removeUpload(existing(commands_.views().uploads(), "upload", uploadPath, path));
        return commands_.remove(
            existing(commands_.views().certificates(), "certificate", certificatePath, path));
    });
}

void Manager::checkService(sd_bus_message* call) {
    manage(call, [this, call] {
        return commands_.check(
            existing(commands_.views().services(), "service", servicePath, readPath(call)));
    });
}

// features.md 1: anyone may download the root.
void Manager::getRootCertificate(sd_bus_message* call) {
    const engine::AuthorityView* inForce = nullptr;
    for (const auto& [id, authority] : commands_.views().authorities())
        if (authority.role == "root" && authority.state == "in-force") inForce = &authority;
    if (inForce == nullptr)
        throw hal::Error(hal::ErrorKind::transient, "root-not-found",
                         "the box has no root certificate yet; it is made when certmgrd first starts");
    check(sd_bus_reply_method_return(call, "s", inForce->certificatePem.c_str()),
          "sd_bus_reply_method_return");
}

void Manager::manage(sd_bus_message* call, std::function<std::string()> command) {
    replyWithJob(call, authorizer_, manageAction, std::move(command));
}

}  // namespace certmgr::bus
