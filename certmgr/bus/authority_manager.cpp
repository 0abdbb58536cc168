#include "certmgr/bus/authority_manager.h"

#include "certmgr/bus/authority_arguments.h"
#include "certmgr/bus/errors.h"
#include "certmgr/bus/names.h"
#include "certmgr/bus/text.h"

namespace certmgr::bus {
namespace {

template <void (AuthorityManager::*handler)(sd_bus_message*)>
int method(sd_bus_message* call, void* manager, sd_bus_error*) {
    replyWithErrors(call, [&] { (static_cast<AuthorityManager*>(manager)->*handler)(call); });
    return 1;
}

// Without this flag sd-bus itself would refuse whoever is not root; here every handler asks polkit.
constexpr auto everyone = SD_BUS_VTABLE_UNPRIVILEGED;

constexpr sd_bus_vtable methods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("SignRequest", SD_BUS_ARGS("h", request, "h", output, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method<&AuthorityManager::signRequest>, everyone),
    SD_BUS_METHOD_WITH_ARGS("Issue", SD_BUS_ARGS("h", passphrase, "h", output, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method<&AuthorityManager::issue>, everyone),
    SD_BUS_METHOD_WITH_ARGS("Revoke", SD_BUS_ARGS("s", serial, "s", reason), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::revoke>, everyone),
    SD_BUS_METHOD_WITH_ARGS("ListIssued", SD_BUS_ARGS("x", after), SD_BUS_RESULT("aa{sv}", issued),
                            method<&AuthorityManager::listIssued>, everyone),
    SD_BUS_METHOD_WITH_ARGS("Generate", SD_BUS_ARGS("s", subject, "u", days), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::generate>, everyone),
    SD_BUS_METHOD_WITH_ARGS("Import", SD_BUS_ARGS("h", content), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::import>, everyone),
    SD_BUS_METHOD_WITH_ARGS("MakeRequest", SD_BUS_ARGS("h", output), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::makeRequest>, everyone),
    SD_BUS_METHOD_WITH_ARGS("Install", SD_BUS_ARGS("h", chain), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::install>, everyone),
    SD_BUS_METHOD_WITH_ARGS("Reissue", SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::reissue>, everyone),
    SD_BUS_METHOD_WITH_ARGS("GetTrustBundle", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", pem),
                            method<&AuthorityManager::getTrustBundle>, everyone),
    SD_BUS_METHOD_WITH_ARGS("GetRevocationLists", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", pem),
                            method<&AuthorityManager::getRevocationLists>, everyone),
    SD_BUS_VTABLE_END};

void replyText(sd_bus_message* call, const std::string& text) {
    check(sd_bus_reply_method_return(call, "s", text.c_str()), "sd_bus_reply_method_return");
}

void appendText(sd_bus_message* reply, const char* name, const std::string& value) {
    check(sd_bus_message_append(reply, "{sv}", name, "s", validText(value).c_str()), "sd_bus_message_append");
}

void appendTime(sd_bus_message* reply, const char* name, TimePoint time) {
    check(sd_bus_message_append(reply, "{sv}", name, "t",
                                static_cast<std::uint64_t>(time.time_since_epoch().count())),
          "sd_bus_message_append");
}

void appendNames(sd_bus_message* reply, const std::vector<AlternativeName>& names) {
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv"), "open_container");
    check(sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, "Names"), "append_basic");
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_VARIANT, "as"), "open_container");
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "s"), "open_container");
    for (const AlternativeName& name : names)
        check(sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, toString(name).c_str()), "append_basic");
    for (int closed = 0; closed < 3; ++closed)
        check(sd_bus_message_close_container(reply), "close_container");
}

void appendIssued(sd_bus_message* reply, const IssuedCertificate& certificate) {
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{sv}"), "open_container");
    check(sd_bus_message_append(reply, "{sv}", "Number", "x", certificate.number), "sd_bus_message_append");
    appendText(reply, "Serial", certificate.summary.serial);
    appendText(reply, "Subject", certificate.summary.subject);
    appendText(reply, "Purpose", std::string(toString(certificate.purpose)));
    appendNames(reply, certificate.names);
    appendText(reply, "Authority", certificate.authority);
    appendText(reply, "Sha256", certificate.summary.sha256);
    appendTime(reply, "NotBefore", certificate.summary.notBefore);
    appendTime(reply, "NotAfter", certificate.summary.notAfter);
    const auto& revocation = certificate.revocation;
    appendTime(reply, "Revoked", revocation ? revocation->when : TimePoint());
    appendText(reply, "RevocationReason", revocation ? std::string(toString(revocation->reason)) : "");
    check(sd_bus_message_close_container(reply), "close_container");
}

}  // namespace

AuthorityManager::AuthorityManager(sd_bus* bus, Authorizer& authorizer, engine::AuthorityCommands& commands)
    : authorizer_(authorizer), commands_(commands) {
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_object_vtable(bus, &slot, rootPath, authorityManagerInterface, methods, this),
          "sd_bus_add_object_vtable");
    slot_.reset(slot);
}

void AuthorityManager::signRequest(sd_bus_message* call) {
    change(call, [this, call] {
        hal::UniqueFd request = readDescriptor(call, Direction::in);
        hal::UniqueFd output = readDescriptor(call, Direction::out);
        return commands_.signRequest(readHolder(call), std::move(request), std::move(output));
    });
}

void AuthorityManager::issue(sd_bus_message* call) {
    change(call, [this, call] {
        hal::UniqueFd passphrase = readDescriptor(call, Direction::in);
        hal::UniqueFd output = readDescriptor(call, Direction::out);
        return commands_.issueBundle(readBundle(call), std::move(passphrase), std::move(output));
    });
}

void AuthorityManager::revoke(sd_bus_message* call) {
    change(call, [this, call] {
        const std::string serial = readString(call);
        return commands_.revoke(serial, readString(call));
    });
}

void AuthorityManager::listIssued(sd_bus_message* call) {
    authorizer_.authorize(call, viewAction, [this, call] {
        std::int64_t after = 0;
        check(sd_bus_message_read(call, "x", &after), "sd_bus_message_read");
        sd_bus_message* created = nullptr;
        check(sd_bus_message_new_method_return(call, &created), "sd_bus_message_new_method_return");
        const Message reply(created);
        check(sd_bus_message_open_container(created, SD_BUS_TYPE_ARRAY, "a{sv}"), "open_container");
        for (const IssuedCertificate& certificate : commands_.issued(after))
            appendIssued(created, certificate);
        check(sd_bus_message_close_container(created), "close_container");
        check(sd_bus_send(nullptr, created, nullptr), "sd_bus_send");
    });
}

void AuthorityManager::generate(sd_bus_message* call) {
    change(call, [this, call] {
        const std::string subject = readString(call);
        return commands_.generateAuthority(subject, readNumber(call));
    });
}

void AuthorityManager::import(sd_bus_message* call) {
    change(call, [this, call] { return commands_.importAuthority(readDescriptor(call, Direction::in)); });
}

void AuthorityManager::makeRequest(sd_bus_message* call) {
    change(call, [this, call] { return commands_.requestAuthority(readDescriptor(call, Direction::out)); });
}

void AuthorityManager::install(sd_bus_message* call) {
    change(call, [this, call] { return commands_.installAuthority(readDescriptor(call, Direction::in)); });
}

void AuthorityManager::reissue(sd_bus_message* call) {
    change(call, [this] { return commands_.reissueAuthority(); });
}

// features.md 1: anyone may download what is there to be trusted; a revocation list is for everyone too.
void AuthorityManager::getTrustBundle(sd_bus_message* call) {
    replyText(call, commands_.trustPem());
}

void AuthorityManager::getRevocationLists(sd_bus_message* call) {
    replyText(call, commands_.crlPem());
}

void AuthorityManager::change(sd_bus_message* call, std::function<std::string()> command) {
    authorizer_.authorize(call, authorityAction, [call, command = std::move(command)] {
        check(sd_bus_reply_method_return(call, "o", pathOf(jobPath, command()).c_str()),
              "sd_bus_reply_method_return");
    });
}

}  // namespace certmgr::bus
