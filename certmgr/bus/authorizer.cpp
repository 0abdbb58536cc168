#include "certmgr/bus/authorizer.h"

#include "certmgr/bus/errors.h"

namespace certmgr::bus {
namespace {

Message checkAuthorization(sd_bus* bus, sd_bus_message* call, const std::string& action) {
    constexpr std::uint32_t allowUserInteraction = 1;
    sd_bus_message* created = nullptr;
    check(sd_bus_message_new_method_call(bus, &created, "org.freedesktop.PolicyKit1",
                                         "/org/freedesktop/PolicyKit1/Authority",
                                         "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"),
          "sd_bus_message_new_method_call");
    Message question(created);
    const bool interactive = sd_bus_message_get_allow_interactive_authorization(call) > 0;
    check(sd_bus_message_append(question.get(), "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                sd_bus_message_get_sender(call), action.c_str(), 0,
                                interactive ? allowUserInteraction : 0, ""),
          "sd_bus_message_append");
    return question;
}

void deny(sd_bus_message* call, const char* name, const std::string& sentence) {
    sd_bus_reply_method_errorf(call, name, "%s", sentence.c_str());
}

}  // namespace

uid_t senderOf(sd_bus_message* call) {
    sd_bus_creds* found = nullptr;
    check(sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &found), "sd_bus_query_sender_creds");
    const Credentials credentials(found);
    uid_t user = 0;
    check(sd_bus_creds_get_euid(credentials.get(), &user), "sd_bus_creds_get_euid");
    return user;
}

void Authorizer::authorize(sd_bus_message* call, const char* action, std::function<void()> granted) {
    replyWithErrors(call, [&] {
        const uid_t user = senderOf(call);
        if (user == 0) return granted();
        if (const auto found = pending_.find(user);
            found != pending_.end() && found->second >= maxPendingPerUser)
            return deny(call, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        std::to_string(maxPendingPerUser) + " calls of user " + std::to_string(user) +
                            " wait for polkit already; wait for their answers");
        ask({this, share(call), user, action, std::move(granted), nullptr, {}});
    });
}

void Authorizer::ask(Question question) {
    const Message message = checkAuthorization(bus_, question.call.get(), question.action);
    const auto entry = questions_.insert(questions_.end(), std::move(question));
    entry->self = entry;
    sd_bus_slot* slot = nullptr;
    if (const int sent =
            sd_bus_call_async(bus_, &slot, message.get(), answered, &*entry, timeoutMicroseconds);
        sent < 0) {
        questions_.erase(entry);
        check(sent, "CheckAuthorization");
    }
    entry->slot.reset(slot);
    ++pending_[entry->user];
}

int Authorizer::answered(sd_bus_message* answer, void* userdata, sd_bus_error*) {
    auto* const entry = static_cast<Question*>(userdata);
    Authorizer& owner = *entry->owner;
    Question question = std::move(*entry);
    owner.questions_.erase(question.self);
    if (--owner.pending_[question.user] == 0) owner.pending_.erase(question.user);
    owner.conclude(question, answer);
    return 1;
}

void Authorizer::conclude(Question& question, sd_bus_message* answer) {
    sd_bus_message* const call = question.call.get();
    if (const sd_bus_error* error = sd_bus_message_get_error(answer))
        return deny(call, SD_BUS_ERROR_ACCESS_DENIED,
                    "polkit could not be asked whether user " + std::to_string(question.user) +
                        " has the right " + question.action + ": " +
                        (error->message ? error->message : error->name));
    int authorized = 0;
    int challenge = 0;
    const bool understood = sd_bus_message_enter_container(answer, SD_BUS_TYPE_STRUCT, "bba{ss}") > 0 &&
                            sd_bus_message_read(answer, "bb", &authorized, &challenge) > 0;
    if (understood && authorized) return replyWithErrors(call, question.granted);
    const std::string sentence =
        "user " + std::to_string(question.user) + " does not have the right " + question.action;
    if (understood && challenge)
        return deny(call, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                    sentence + "; polkit would ask for an administrator's password");
    deny(call, SD_BUS_ERROR_ACCESS_DENIED, sentence);
}

}  // namespace certmgr::bus
