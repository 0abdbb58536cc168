// The main thread: sd-event with the bus, the workers' queue, the timer of the schedule, signals and the
// watchdog.
#pragma once

#include <functional>

#include <systemd/sd-event.h>

#include "certmgr/bus/sd_bus.h"
#include "certmgr/core/clock.h"
#include "certmgr/engine/engine.h"
#include "hal/handle.h"

namespace certmgr::daemon {

using EventHandle = hal::Handle<sd_event, sd_event_unref>;
using EventSource = hal::Handle<sd_event_source, sd_event_source_disable_unref>;

// Throws Error for a negative errno-style result.
int checked(int result, const char* call);

// SIGTERM, SIGINT and SIGHUP must be blocked in every thread before the first one is started.
void blockSignals();

class MainLoop {
  public:
    // `loadConfiguration` takes the files as they are now for the next beginning, or throws what is wrong
    // with them.
    MainLoop(engine::Engine& engine, engine::MainQueue& queue, const Clock& clock, engine::EventLog& log,
             std::function<void()> loadConfiguration);

    void attach(sd_bus& bus);
    // Until SIGTERM or SIGINT, or the loss of the bus: who cannot be asked or told anything shall be started
    // anew. Workers have ended when it returns. The exit status; absent: all is to begin anew in this
    // process, with a restored state, or after SIGHUP with the configuration that was read then.
    std::optional<int> run();

  private:
    // sd-event's own frames know no exceptions: what a callback could not do is logged, and tried when it is
    // due again.
    template <class Work>
    int guarded(Work work) noexcept;
    static int onQueue(sd_event_source* source, int fd, std::uint32_t events, void* loop);
    static int onTimer(sd_event_source* source, std::uint64_t microseconds, void* loop);
    static int onTerminate(sd_event_source* source, const signalfd_siginfo* signal, void* loop);
    static int onHangup(sd_event_source* source, const signalfd_siginfo* signal, void* loop);
    static int onTurn(sd_event_source* source, void* loop);
    static int onBusLost(sd_bus_message* signal, void* loop, sd_bus_error* error);
    void turn();
    void stop();
    void restart();
    void reload();
    void armTimer();
    void lookAtTheClock();

    engine::Engine& engine_;
    engine::MainQueue& queue_;
    const Clock& clock_;
    engine::EventLog& log_;
    const std::function<void()> loadConfiguration_;
    EventHandle event_;
    EventSource queueSource_, timerSource_, terminateSource_, interruptSource_, hangupSource_, turnSource_;
    std::chrono::milliseconds clockOffset_;  // wall time minus boot time: changes when the clock is set
    bool ready_ = false;
    bool stopping_ = false;
    bool restarting_ = false;
    bus::Slot busLostSlot_;
    int exitStatus_ = 0;
};

}  // namespace certmgr::daemon
