#include "certmgr/bus/authority_manager.h"

#include <memory>

#include "certmgr/bus/arguments.h"
#include "certmgr/bus/dictionary.h"
#include "certmgr/bus/methods.h"
#include "certmgr/bus/names.h"

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

std::vector<std::string> textsOf(const std::vector<AlternativeName>& names) {
    std::vector<std::string> texts;
    for (const AlternativeName& name : names) texts.push_back(toString(name));
    return texts;
}

void appendIssued(sd_bus_message* reply, const IssuedCertificate& certificate) {
    appendEntry(reply, "Number", certificate.number);
    appendEntry(reply, "Serial", certificate.summary.serial);
    appendEntry(reply, "Subject", certificate.summary.subject);
    appendEntry(reply, "Purpose", std::string(toString(certificate.purpose)));
    appendEntry(reply, "Names", textsOf(certificate.names));
    appendEntry(reply, "Authority", certificate.authority);
    appendEntry(reply, "Sha256", certificate.summary.sha256);
    appendEntry(reply, "NotBefore", certificate.summary.notBefore);
    appendEntry(reply, "NotAfter", certificate.summary.notAfter);
    const auto& revocation = certificate.revocation;
    appendEntry(reply, "Revoked", revocation ? revocation->when : TimePoint());
    appendEntry(reply, "RevocationReason",
                revocation ? std::string(toString(revocation->reason)) : std::string());
}

void appendAnchor(sd_bus_message* reply, const engine::TrustAnchor& anchor) {
    appendEntry(reply, "Subject", anchor.summary.subject);
    appendEntry(reply, "Issuer", anchor.summary.issuer);
    appendEntry(reply, "Sha256", anchor.summary.sha256);
    appendEntry(reply, "NotBefore", anchor.summary.notBefore);
    appendEntry(reply, "NotAfter", anchor.summary.notAfter);
    appendEntry(reply, "Expired", anchor.expired);
    appendEntry(reply, "Own", anchor.own);
}

void replyAnchors(sd_bus_message* call, const engine::SystemTrust& trust) {
    if (trust.failure) throw *trust.failure;
    replyDictionaries(call, trust.anchors, appendAnchor);
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
        replyDictionaries(call, commands_.issued(after), appendIssued);
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
