#include "certmgr/bus/authority_manager.h"

#include <memory>

#include "certmgr/bus/arguments.h"
#include "certmgr/bus/methods.h"
#include "certmgr/bus/names.h"
#include "certmgr/bus/text.h"

namespace certmgr::bus {
namespace {

constexpr sd_bus_vtable authorityManagerVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("SignRequest", SD_BUS_ARGS("h", request, "h", output, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method<&AuthorityManager::signRequest>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Issue", SD_BUS_ARGS("h", passphrase, "h", output, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method<&AuthorityManager::issue>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Revoke", SD_BUS_ARGS("s", serial, "s", reason), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::revoke>, anyone),
    SD_BUS_METHOD_WITH_ARGS("ListIssued", SD_BUS_ARGS("x", after), SD_BUS_RESULT("aa{sv}", issued),
                            method<&AuthorityManager::listIssued>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Generate", SD_BUS_ARGS("s", subject, "u", days), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::generate>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Import", SD_BUS_ARGS("h", content), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::import>, anyone),
    SD_BUS_METHOD_WITH_ARGS("MakeRequest", SD_BUS_ARGS("h", output), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::makeRequest>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Install", SD_BUS_ARGS("h", chain), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::install>, anyone),
    SD_BUS_METHOD_WITH_ARGS("Reissue", SD_BUS_NO_ARGS, SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::reissue>, anyone),
    SD_BUS_METHOD_WITH_ARGS("GetTrustBundle", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", pem),
                            method<&AuthorityManager::getTrustBundle>, anyone),
    SD_BUS_METHOD_WITH_ARGS("GetRevocationLists", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", pem),
                            method<&AuthorityManager::getRevocationLists>, anyone),
    SD_BUS_METHOD_WITH_ARGS("GetSystemTrust", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", anchors),
                            method<&AuthorityManager::getSystemTrust>, anyone),
    SD_BUS_METHOD_WITH_ARGS("TrustOwnRoots", SD_BUS_ARGS("b", trusted), SD_BUS_RESULT("o", job),
                            method<&AuthorityManager::trustOwnRoots>, anyone),
    SD_BUS_VTABLE_END};

std::vector<Option> optionsOf(engine::EndEntityCommand& holder) {
    return {{"purpose", &holder.purpose},
            {"common-name", &holder.commonName},
            {"names", &holder.names},
            {"days", &holder.days}};
}

engine::EndEntityCommand readHolder(sd_bus_message* call) {
    engine::EndEntityCommand holder;
    readOptions(call, optionsOf(holder));
    return holder;
}

engine::BundleCommand readBundle(sd_bus_message* call) {
    engine::BundleCommand command;
    std::vector<Option> options = optionsOf(command.holder);
    options.push_back({"key-algorithm", &command.keyAlgorithm});
    options.push_back({"format", &command.format});
    readOptions(call, options);
    return command;
}

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

void appendTruth(sd_bus_message* reply, const char* name, bool value) {
    check(sd_bus_message_append(reply, "{sv}", name, "b", static_cast<int>(value)), "sd_bus_message_append");
}

void appendAnchor(sd_bus_message* reply, const engine::TrustAnchor& anchor) {
    check(sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{sv}"), "open_container");
    appendText(reply, "Subject", anchor.summary.subject);
    appendText(reply, "Issuer", anchor.summary.issuer);
    appendText(reply, "Sha256", anchor.summary.sha256);
    appendTime(reply, "NotBefore", anchor.summary.notBefore);
    appendTime(reply, "NotAfter", anchor.summary.notAfter);
    appendTruth(reply, "Expired", anchor.expired);
    appendTruth(reply, "Own", anchor.own);
    check(sd_bus_message_close_container(reply), "close_container");
}

void replyAnchors(sd_bus_message* call, const engine::SystemTrust& trust) {
    if (trust.failure) throw *trust.failure;
    sd_bus_message* created = nullptr;
    check(sd_bus_message_new_method_return(call, &created), "sd_bus_message_new_method_return");
    const Message reply(created);
    check(sd_bus_message_open_container(created, SD_BUS_TYPE_ARRAY, "a{sv}"), "open_container");
    for (const engine::TrustAnchor& anchor : trust.anchors) appendAnchor(created, anchor);
    check(sd_bus_message_close_container(created), "close_container");
    check(sd_bus_send(nullptr, created, nullptr), "sd_bus_send");
}

}  // namespace

AuthorityManager::AuthorityManager(sd_bus* bus, Authorizer& authorizer, engine::AuthorityCommands& commands)
    : authorizer_(authorizer),
      commands_(commands),
      slot_(addInterface(bus, authorityManagerInterface, authorityManagerVtable, this)) {}

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
        const std::string serial = readText(call);
        return commands_.revoke(serial, readText(call));
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
        const std::string subject = readText(call);
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

// What a box trusts is as public as its bundle, which everybody on it reads.
void AuthorityManager::getSystemTrust(sd_bus_message* call) {
    const std::shared_ptr<sd_bus_message> kept(sd_bus_message_ref(call), sd_bus_message_unref);
    commands_.systemTrust([kept](const engine::SystemTrust& trust) {
        replyWithErrors(kept.get(), [&] { replyAnchors(kept.get(), trust); });
    });
}

void AuthorityManager::trustOwnRoots(sd_bus_message* call) {
    change(call, [this, call] { return commands_.trustOwnRoots(readBoolean(call)); });
}

void AuthorityManager::change(sd_bus_message* call, std::function<std::string()> command) {
    replyWithJob(call, authorizer_, authorityAction, std::move(command));
}

}  // namespace certmgr::bus
