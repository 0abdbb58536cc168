// org.certmgr1.AuthorityManager.
#include <system_error>

#include "certmgr/ctl/client.h"
#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

void requireAppended(int result) {
    if (result < 0)
        throw Failure(ExitStatus::refused,
                      "a call cannot be made of this: " + std::generic_category().message(-result));
}

void appendText(sd_bus_message* message, const char* option, const std::string& value) {
    if (!value.empty()) requireAppended(sd_bus_message_append(message, "{sv}", option, "s", value.c_str()));
}

void appendNames(sd_bus_message* message, const std::vector<std::string>& names) {
    if (names.empty()) return;
    requireAppended(sd_bus_message_open_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv"));
    requireAppended(sd_bus_message_append_basic(message, SD_BUS_TYPE_STRING, "names"));
    requireAppended(sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, "as"));
    requireAppended(sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "s"));
    for (const std::string& name : names)
        requireAppended(sd_bus_message_append_basic(message, SD_BUS_TYPE_STRING, name.c_str()));
    for (int closed = 0; closed < 3; ++closed) requireAppended(sd_bus_message_close_container(message));
}

void appendHolder(sd_bus_message* message, const HolderOptions& holder) {
    requireAppended(sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "{sv}"));
    appendText(message, "purpose", holder.purpose);
    appendText(message, "common-name", holder.commonName);
    appendNames(message, holder.names);
    if (holder.days != 0) requireAppended(sd_bus_message_append(message, "{sv}", "days", "u", holder.days));
    appendText(message, "key-algorithm", holder.keyAlgorithm);
    appendText(message, "format", holder.format);
    requireAppended(sd_bus_message_close_container(message));
}

}  // namespace

std::string Client::signRequest(int request, int output, const HolderOptions& holder) {
    const Message message = newAuthorityCall("SignRequest");
    requireAppended(sd_bus_message_append(message.get(), "hh", request, output));
    appendHolder(message.get(), holder);
    return startJob(message);
}

std::string Client::issue(int passphrase, int output, const HolderOptions& holder) {
    const Message message = newAuthorityCall("Issue");
    requireAppended(sd_bus_message_append(message.get(), "hh", passphrase, output));
    appendHolder(message.get(), holder);
    return startJob(message);
}

std::string Client::revoke(const std::string& serial, const std::string& reason) {
    const Message message = newAuthorityCall("Revoke");
    requireAppended(sd_bus_message_append(message.get(), "ss", serial.c_str(), reason.c_str()));
    return startJob(message);
}

// certmgrd hands out a thousand at once.
Json Client::issued() {
    Json all = Json::array();
    std::int64_t after = 0;
    for (;;) {
        const Message message = newAuthorityCall("ListIssued");
        requireAppended(sd_bus_message_append(message.get(), "x", after));
        const Json some = readValue(call(message).get());
        if (some.empty()) return all;
        for (const Json& one : some) all.push_back(one);
        after = all.back().at("Number").get<std::int64_t>();
    }
}

std::string Client::generateAuthority(const std::string& subject, std::uint32_t days) {
    const Message message = newAuthorityCall("Generate");
    requireAppended(sd_bus_message_append(message.get(), "su", subject.c_str(), days));
    return startJob(message);
}

std::string Client::importAuthority(int content) {
    return callWithDescriptor("Import", content);
}

std::string Client::requestAuthority(int output) {
    return callWithDescriptor("MakeRequest", output);
}

std::string Client::installAuthority(int chain) {
    return callWithDescriptor("Install", chain);
}

std::string Client::reissueAuthority() {
    return startJob(newAuthorityCall("Reissue"));
}

std::string Client::trustBundle() {
    return readValue(call(newAuthorityCall("GetTrustBundle")).get()).get<std::string>();
}

std::string Client::revocationLists() {
    return readValue(call(newAuthorityCall("GetRevocationLists")).get()).get<std::string>();
}

Json Client::systemTrust() {
    return readValue(call(newAuthorityCall("GetSystemTrust")).get());
}

std::string Client::trustOwnRoots(bool trusted) {
    const Message message = newAuthorityCall("TrustOwnRoots");
    requireAppended(sd_bus_message_append(message.get(), "b", static_cast<int>(trusted)));
    return startJob(message);
}

std::string Client::callWithDescriptor(const char* member, int fd) {
    const Message message = newAuthorityCall(member);
    requireAppended(sd_bus_message_append(message.get(), "h", fd));
    return startJob(message);
}

}  // namespace certmgr::ctl
