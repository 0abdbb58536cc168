// The objects below /org/certmgr1 and the signals of their changes, straight from the views.
#pragma once

#include <vector>

#include "certmgr/bus/sd_bus.h"
#include "certmgr/engine/commands.h"

namespace certmgr::bus {

// Registers with `bus` when made, listens to `views` as long as it lives.
class Objects {
  public:
    Objects(sd_bus* bus, engine::Commands& commands, engine::Views& views);
    ~Objects();
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;

    const engine::Views& views() const { return views_; }
    engine::Commands& commands() { return commands_; }

  private:
    template <auto views, const char* prefix>
    void add(const char* interface, const sd_bus_vtable* vtable);
    void signal(const engine::Views::Event& event);

    sd_bus* bus_;
    engine::Commands& commands_;
    engine::Views& views_;
    std::vector<Slot> slots_;
};

}  // namespace certmgr::bus
