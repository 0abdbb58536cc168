#include "hal/systemd/unit_job.h"

#include <array>
#include <optional>
#include <string_view>
#include <system_error>

#include <systemd/sd-bus.h>

#include "hal/error.h"
#include "hal/handle.h"

namespace hal {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr const char* managerName = "org.freedesktop.systemd1";
constexpr const char* managerPath = "/org/freedesktop/systemd1";
constexpr const char* managerInterface = "org.freedesktop.systemd1.Manager";

using Bus = Handle<sd_bus, sd_bus_flush_close_unref>;
using Message = Handle<sd_bus_message, sd_bus_message_unref>;

struct BusError {
    BusError() = default;
    ~BusError() { sd_bus_error_free(&value); }
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
    std::string_view name() const { return value.name ? value.name : ""; }
    sd_bus_error value = SD_BUS_ERROR_NULL;
};

[[noreturn]] void throwUnreachable(const UnitJob& order, const std::string& why) {
    throw Error(
        ErrorKind::transient, "service-manager-unreachable",
        "no " + order.action + " of " + order.unit + ": systemd does not answer on the system bus: " + why);
}

[[noreturn]] void throwTimeout(const UnitJob& order) {
    throw Error(ErrorKind::transient, order.timeoutCode,
                "the " + order.action + " of " + order.unit + " did not end within " +
                    std::to_string(order.timeout.count()) + " ms; see journalctl -u " + order.unit);
}

std::string errnoText(int result) {
    return std::generic_category().message(-result);
}

// systemd's D-Bus errors: org.freedesktop.systemd1(5) and the bus's own.
[[noreturn]] void throwRefused(const UnitJob& order, const BusError& error, int result) {
    const std::string_view name = error.name();
    const std::string why = error.value.message ? error.value.message : errnoText(result);
    const std::string refused = "the " + order.action + " of " + order.unit + " was refused: " + why;
    if (name == "org.freedesktop.systemd1.NoSuchUnit" || name == "org.freedesktop.systemd1.LoadFailed" ||
        name == "org.freedesktop.systemd1.UnitMasked")
        throw Error(ErrorKind::misconfigured, "unit-not-found",
                    refused + "; install it, or correct the name where the profile has another");
    if (name == SD_BUS_ERROR_ACCESS_DENIED || name == SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)
        throw Error(
            ErrorKind::misconfigured, "access-denied",
            refused + "; a polkit rule must allow org.freedesktop.systemd1.manage-units for this unit");
    // Before the timeouts: sd-bus gives NoReply, which the bus sends for a peer that left, the same errno.
    if (name == SD_BUS_ERROR_SERVICE_UNKNOWN || name == SD_BUS_ERROR_NAME_HAS_NO_OWNER ||
        name == SD_BUS_ERROR_NO_REPLY || name == SD_BUS_ERROR_DISCONNECTED)
        throwUnreachable(order, why);
    if (result == -ETIMEDOUT) throwTimeout(order);
    if (name.empty() || name.starts_with("System.Error.")) throwUnreachable(order, why);
    throw Error(ErrorKind::misconfigured, order.failedCode, refused);
}

[[noreturn]] void throwInactive(const std::string& unit) {
    throw Error(ErrorKind::transient, "service-inactive", unit + " does not run, so it was not reloaded");
}

class Job {
  public:
    Job(const UnitJob& order, steady_clock::time_point deadline) : order_(order), deadline_(deadline) {
        sd_bus* bus = nullptr;
        if (const int result = sd_bus_open_system(&bus); result < 0)
            throwUnreachable(order_, errnoText(result));
        bus_.reset(bus);
    }

    void requireRunning() {
        const Message reply = callManager("ListUnitsByNames", "as", 1, order_.unit.c_str());
        std::array<const char*, 4> unit{};  // its name, description, load state, active state
        int result = sd_bus_message_enter_container(reply.get(), 'a', "(ssssssouso)");
        if (result > 0) result = sd_bus_message_enter_container(reply.get(), 'r', "ssssssouso");
        if (result > 0)
            result = sd_bus_message_read(reply.get(), "ssss", &unit[0], &unit[1], &unit[2], &unit[3]);
        if (result <= 0) throwUnreachable(order_, "it does not say how the unit is: " + errnoText(result));
        const std::string_view active = unit[3];
        if (std::string_view(unit[2]) == "loaded" && (active == "inactive" || active == "failed"))
            throwInactive(order_.unit);
    }

    void run() {
        // Before the call: the job may be over before its answer is read.
        match(
            "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',"
            "member='JobRemoved'");
        match(
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
            "member='NameOwnerChanged',arg0='org.freedesktop.systemd1'");
        callManager("Subscribe", "");
        const Message reply = callManager(order_.method, "ss", order_.unit.c_str(), order_.mode);
        const char* job = nullptr;
        if (const int result = sd_bus_message_read(reply.get(), "o", &job); result < 0)
            throwUnreachable(order_, "its answer has no job: " + errnoText(result));
        judge(awaitResult(job));
    }

  private:
    std::uint64_t remaining() const {
        const auto left = std::chrono::ceil<microseconds>(deadline_ - steady_clock::now());
        if (left <= microseconds(0)) throwTimeout(order_);
        return static_cast<std::uint64_t>(left.count());
    }

    Message call(sd_bus_message* request) {
        BusError error;
        sd_bus_message* reply = nullptr;
        const int result = sd_bus_call(bus_.get(), request, remaining(), &error.value, &reply);
        if (result < 0) throwRefused(order_, error, result);
        return Message(reply);
    }

    template <class... Arguments>
    Message request(const char* name, const char* path, const char* interface, const char* member,
                    const char* types, Arguments... arguments) {
        sd_bus_message* raw = nullptr;
        int result = sd_bus_message_new_method_call(bus_.get(), &raw, name, path, interface, member);
        const Message message(raw);
        if (result >= 0) result = sd_bus_message_append(raw, types, arguments...);
        if (result < 0) throwUnreachable(order_, errnoText(result));
        return call(raw);
    }

    template <class... Arguments>
    Message callManager(const char* member, const char* types, Arguments... arguments) {
        return request(managerName, managerPath, managerInterface, member, types, arguments...);
    }

    // Through a call of our own and not sd_bus_add_match(): without a handler the signals come out of
    // sd_bus_process().
    void match(const char* rule) {
        request("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s",
                rule);
    }

    std::string awaitResult(const std::string& job) {
        for (;;) {
            sd_bus_message* raw = nullptr;
            const int processed = sd_bus_process(bus_.get(), &raw);
            const Message message(raw);
            if (processed < 0) throwUnreachable(order_, errnoText(processed));
            if (message) {
                if (const auto result = resultIn(*message, job)) return *result;
            } else if (processed == 0) {
                const int waited = sd_bus_wait(bus_.get(), remaining());
                if (waited < 0 && waited != -EINTR) throwUnreachable(order_, errnoText(waited));
            }
        }
    }

    std::optional<std::string> resultIn(sd_bus_message& message, const std::string& job) const {
        if (sd_bus_message_is_signal(&message, "org.freedesktop.DBus", "NameOwnerChanged") > 0) {
            std::array<const char*, 3> owner{};
            if (sd_bus_message_read(&message, "sss", &owner[0], &owner[1], &owner[2]) >= 0 &&
                *owner[2] == '\0')
                throwUnreachable(order_, "it left the bus before the job was done");
            return std::nullopt;
        }
        if (sd_bus_message_is_signal(&message, "org.freedesktop.DBus.Local", "Disconnected") > 0)
            throwUnreachable(order_, "the bus closed the connection before the job was done");
        if (sd_bus_message_is_signal(&message, managerInterface, "JobRemoved") <= 0) return std::nullopt;
        std::uint32_t number = 0;
        const char* path = nullptr;
        const char* unit = nullptr;
        const char* result = nullptr;
        if (sd_bus_message_read(&message, "uoss", &number, &path, &unit, &result) < 0 || path != job)
            return std::nullopt;
        return result;
    }

    // org.freedesktop.systemd1(5), JobRemoved: done, canceled, timeout, failed, dependency, skipped; and from
    // systemd's source "invalid", where the unit does not run.
    void judge(const std::string& result) const {
        const std::string& unit = order_.unit;
        if (result == "done") return;
        if (result == "invalid" || result == "skipped") throwInactive(unit);
        if (result == "timeout")
            throw Error(ErrorKind::transient, order_.timeoutCode,
                        "systemd gave up the " + order_.action + " of " + unit +
                            " after the unit's own time limit; see journalctl -u " + unit);
        throw Error(ErrorKind::misconfigured, order_.failedCode,
                    "the " + order_.action + " of " + unit + " ended with \"" + result +
                        "\"; see journalctl -u " + unit);
    }

    const UnitJob& order_;
    const steady_clock::time_point deadline_;
    Bus bus_;
};

}  // namespace

void runUnitJob(const UnitJob& job, steady_clock::time_point deadline) {
    Job running(job, deadline);
    if (job.onlyIfRunning) running.requireRunning();
    running.run();
}

}  // namespace hal
