#include "certmgr/bus/read_gate.h"

#include <string>

#include "certmgr/bus/errors.h"
#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

bool isRead(sd_bus_message* message) {
    return sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get") > 0 ||
           sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "GetAll") > 0 ||
           sd_bus_message_is_method_call(message, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") >
               0;
}

// `original` is the reference that the slot owns.
int handOn(sd_bus_message* answer, void* original, sd_bus_error*) {
    auto* const call = static_cast<sd_bus_message*>(original);
    if (const sd_bus_error* error = sd_bus_message_get_error(answer)) {
        sd_bus_reply_method_error(call, error);
        return 1;
    }
    replyWithErrors(call, [&] {
        sd_bus_message* created = nullptr;
        check(sd_bus_message_new_method_return(call, &created), "sd_bus_message_new_method_return");
        const Message reply(created);
        check(sd_bus_message_copy(reply.get(), answer, 1), "sd_bus_message_copy");
        check(sd_bus_send(nullptr, reply.get(), nullptr), "sd_bus_send");
    });
    return 1;
}

void dropReference(void* original) {
    sd_bus_message_unref(static_cast<sd_bus_message*>(original));
}

}  // namespace

ReadGate::ReadGate(sd_bus* bus, Authorizer& authorizer) : bus_(bus), authorizer_(authorizer) {
    sd_bus_track* track = nullptr;
    check(sd_bus_track_new(bus_, &track, nullptr, nullptr), "sd_bus_track_new");
    viewers_.reset(track);
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_filter(bus_, &slot, filter, this), "sd_bus_add_filter");
    slot_.reset(slot);
}

int ReadGate::filter(sd_bus_message* call, void* gate, sd_bus_error*) {
    if (!isRead(call)) return 0;
    auto* const self = static_cast<ReadGate*>(gate);
    bool passed = false;
    replyWithErrors(call, [&] {
        passed = self->passes(call);
        if (!passed) self->authorizer_.authorize(call, viewAction, [self, call] { self->repeat(call); });
    });
    return passed ? 0 : 1;
}

bool ReadGate::passes(sd_bus_message* call) {
    const char* const sender = sd_bus_message_get_sender(call);
    const char* self = nullptr;
    check(sd_bus_get_unique_name(bus_, &self), "sd_bus_get_unique_name");
    if (std::string(sender) == self || sd_bus_track_contains(viewers_.get(), sender) != nullptr) return true;
    if (senderOf(call) != 0) return false;
    sd_bus_track_add_name(viewers_.get(), sender);  // gone already: nobody waits for the answer
    return true;
}

void ReadGate::repeat(sd_bus_message* call) {
    sd_bus_track_add_name(viewers_.get(), sd_bus_message_get_sender(call));
    const char* self = nullptr;
    check(sd_bus_get_unique_name(bus_, &self), "sd_bus_get_unique_name");
    sd_bus_message* created = nullptr;
    check(sd_bus_message_new_method_call(bus_, &created, self, sd_bus_message_get_path(call),
                                         sd_bus_message_get_interface(call), sd_bus_message_get_member(call)),
          "sd_bus_message_new_method_call");
    const Message copy(created);
    check(sd_bus_message_copy(copy.get(), call, 1), "sd_bus_message_copy");
    sd_bus_slot* sent = nullptr;
    check(sd_bus_call_async(bus_, &sent, copy.get(), handOn, call, 0), "sd_bus_call_async");
    const Slot slot(sent);
    sd_bus_message_ref(call);
    sd_bus_slot_set_destroy_callback(slot.get(), dropReference);
    check(sd_bus_slot_set_floating(slot.get(), 1), "sd_bus_slot_set_floating");
}

}  // namespace certmgr::bus
