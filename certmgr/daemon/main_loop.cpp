#include "certmgr/daemon/main_loop.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <systemd/sd-daemon.h>

#include "certmgr/core/error.h"

namespace certmgr::daemon {
namespace {

// At least so often the clock is compared with the boot time: due times are wall-clock times, and a clock
// that was set must not leave them behind for long.
constexpr std::chrono::seconds longestSleep{60};
constexpr std::chrono::seconds clockJump{10};

std::chrono::milliseconds offsetOf(const Clock& clock) {
    return std::chrono::milliseconds(clock.now().time_since_epoch()) - clock.sinceBoot();
}

template <class... Arguments>
EventSource source(int (*add)(sd_event*, sd_event_source**, Arguments...), const EventHandle& event,
                   Arguments... arguments) {
    sd_event_source* made = nullptr;
    checked(add(event.get(), &made, arguments...), "sd_event_add");
    return EventSource(made);
}

MainLoop& self(void* loop) {
    return *static_cast<MainLoop*>(loop);
}

}  // namespace

int checked(int result, const char* call) {
    if (result < 0) hal::throwErrno(-result, call);
    return result;
}

void blockSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

MainLoop::MainLoop(engine::Engine& engine, engine::MainQueue& queue, const Clock& clock,
                   engine::EventLog& log, std::function<void()> loadConfiguration)
    : engine_(engine),
      queue_(queue),
      clock_(clock),
      log_(log),
      loadConfiguration_(std::move(loadConfiguration)),
      clockOffset_(offsetOf(clock)) {
    sd_event* event = nullptr;
    checked(::sd_event_default(&event), "sd_event_default");
    event_.reset(event);
    queueSource_ = source<int, std::uint32_t, sd_event_io_handler_t, void*>(
        ::sd_event_add_io, event_, queue.fd(), EPOLLIN, onQueue, this);
    timerSource_ = source<clockid_t, std::uint64_t, std::uint64_t, sd_event_time_handler_t, void*>(
        ::sd_event_add_time, event_, CLOCK_BOOTTIME, 0, 0, onTimer, this);
    terminateSource_ = source<int, sd_event_signal_handler_t, void*>(::sd_event_add_signal, event_, SIGTERM,
                                                                     onTerminate, this);
    interruptSource_ = source<int, sd_event_signal_handler_t, void*>(::sd_event_add_signal, event_, SIGINT,
                                                                     onTerminate, this);
    hangupSource_ =
        source<int, sd_event_signal_handler_t, void*>(::sd_event_add_signal, event_, SIGHUP, onHangup, this);
    turnSource_ = source<sd_event_handler_t, void*>(::sd_event_add_post, event_, onTurn, this);
    checked(::sd_event_set_watchdog(event_.get(), 1), "sd_event_set_watchdog");
}

void MainLoop::attach(sd_bus& bus) {
    checked(::sd_bus_attach_event(&bus, event_.get(), SD_EVENT_PRIORITY_NORMAL), "sd_bus_attach_event");
    sd_bus_slot* slot = nullptr;
    // Made by sd-bus itself (sd_bus_set_exit_on_disconnect(3) would not wait for the workers).
    checked(::sd_bus_match_signal(&bus, &slot, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                  "org.freedesktop.DBus.Local", "Disconnected", onBusLost, this),
            "sd_bus_match_signal");
    busLostSlot_.reset(slot);
}

std::optional<int> MainLoop::run() {
    armTimer();
    const int status = checked(::sd_event_loop(event_.get()), "sd_event_loop");
    return restarting_ ? std::nullopt : std::optional(status);
}

template <class Work>
int MainLoop::guarded(Work work) noexcept {
    try {
        work();
    } catch (const std::exception& error) {
        log_.write({engine::Severity::error,
                    engine::event_id::jobFailed,
                    std::string("a turn of the main loop: ") + error.what(),
                    {}});
    }
    return 0;
}

int MainLoop::onQueue(sd_event_source*, int, std::uint32_t, void* loop) {
    return self(loop).guarded([&] { self(loop).queue_.drain(); });
}

int MainLoop::onTimer(sd_event_source*, std::uint64_t, void* loop) {
    return self(loop).guarded([&] {
        self(loop).lookAtTheClock();
        self(loop).engine_.runDue();
    });
}

int MainLoop::onTerminate(sd_event_source*, const signalfd_siginfo*, void* loop) {
    return self(loop).guarded([&] { self(loop).stop(); });
}

int MainLoop::onBusLost(sd_bus_message*, void* loop, sd_bus_error*) {
    return self(loop).guarded([&] {
        self(loop).log_.write({engine::Severity::error,
                               engine::event_id::jobFailed,
                               "the connection to the system bus was lost; certmgrd ends, to be started anew",
                               {}});
        self(loop).exitStatus_ = EXIT_FAILURE;
        self(loop).stop();
    });
}

void MainLoop::stop() {
    ::sd_notify(0, "STOPPING=1");
    restarting_ = false;
    stopping_ = true;
    engine_.stop();
}

void MainLoop::restart() {
    ::sd_notify(0, "RELOADING=1");  // READY=1 comes when the services have been brought what is new for them
    restarting_ = true;
    stopping_ = true;
    engine_.stop();
}

int MainLoop::onHangup(sd_event_source*, const signalfd_siginfo*, void* loop) {
    return self(loop).guarded([&] { self(loop).reload(); });
}

int MainLoop::onTurn(sd_event_source*, void* loop) {
    return self(loop).guarded([&] { self(loop).turn(); });
}

// A configuration that is wrong anywhere is not taken at all.
void MainLoop::reload() {
    if (stopping_) return;
    try {
        loadConfiguration_();
    } catch (const std::exception& error) {
        return log_.write({engine::Severity::error,
                           engine::event_id::configurationRefused,
                           std::string("the configuration as it was stays in force: ") + error.what(),
                           {}});
    }
    restart();
}

// After every turn of the loop: what was due may have changed, or the last worker may have ended.
void MainLoop::turn() {
    // Services are ordered behind this unit: at their start the files must be there.
    if (!ready_ && engine_.served()) {
        ready_ = true;
        ::sd_notify(0, "READY=1");
    }
    if (!stopping_ && engine_.restartWanted()) restart();
    if (stopping_ && engine_.idle()) ::sd_event_exit(event_.get(), exitStatus_);
    armTimer();
}

void MainLoop::armTimer() {
    const auto until = [&]() -> std::chrono::milliseconds {
        const auto due = engine_.nextDue();
        if (!due) return longestSleep;
        return std::clamp<std::chrono::milliseconds>(*due - clock_.now(), std::chrono::milliseconds(0),
                                                     longestSleep);
    }();
    const std::chrono::microseconds at = clock_.sinceBoot() + until;
    checked(::sd_event_source_set_time(timerSource_.get(), static_cast<std::uint64_t>(at.count())), "timer");
    checked(::sd_event_source_set_enabled(timerSource_.get(), SD_EVENT_ONESHOT), "timer");
}

void MainLoop::lookAtTheClock() {
    const std::chrono::milliseconds offset = offsetOf(clock_);
    const bool jumped = std::chrono::abs(offset - clockOffset_) > clockJump;
    clockOffset_ = offset;
    if (jumped) engine_.review();
}

}  // namespace certmgr::daemon
