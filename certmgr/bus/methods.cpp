#include "certmgr/bus/methods.h"

#include "certmgr/bus/names.h"

namespace certmgr::bus {

Slot addInterface(sd_bus* bus, const char* interface, const sd_bus_vtable* vtable, void* object) {
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_object_vtable(bus, &slot, rootPath, interface, vtable, object),
          "sd_bus_add_object_vtable");
    return Slot(slot);
}

void replyWithJob(sd_bus_message* call, Authorizer& authorizer, const char* action,
                  std::function<std::string()> command) {
    authorizer.authorize(call, action, [call, command = std::move(command)] {
        check(sd_bus_reply_method_return(call, "o", pathOf(jobPath, command()).c_str()),
              "sd_bus_reply_method_return");
    });
}

}  // namespace certmgr::bus
