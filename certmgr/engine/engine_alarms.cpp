// When alarms are looked at, and where they go.
#include <algorithm>

#include "certmgr/engine/engine.h"
#include "certmgr/engine/metrics.h"

namespace certmgr::engine {
namespace {

// Changes that come together, as of a thousand certificates under a new root, are looked at together.
constexpr seconds settlingTime{2};
constexpr seconds metricsDelay{15};

}  // namespace

void Engine::lookAtAlarmsSoon() {
    lookAtAlarms(parts_.clock.now() + settlingTime);
}

// The earliest wish counts: changes that never end must not put it off.
void Engine::lookAtAlarms(TimePoint time) {
    if (alarmsDue_ && *alarmsDue_ <= time) return;
    alarmsDue_ = time;
    schedule_.set("alarms", time);
}

// What waits for the time of a clock that was set back would wait long.
void Engine::forgetDueAlarms() {
    alarmsDue_.reset();
    metricsDue_ = false;
    lookAtAlarmsSoon();
}

void Engine::runAlarms() {
    if (stopping_) return;
    alarmsDue_.reset();
    // An alarm whose subject does not show yet must not be taken for one that has ended.
    if (!complete_ && started_ && revocationsDue_ && served()) {
        complete_ = true;
        runAlarmHook();  // a crash may have come before it
    }
    if (!complete_ || lanes_.busy("alarms")) return lookAtAlarmsSoon();
    auto look = std::make_shared<Alarms::Look>(alarms_.look(settings_, *revocationsDue_));
    lookAtAlarms(look->verdict.lookAgain);
    if (look->notices.empty()) {
        alarms_.show(*look);
        return runMetricsSoon();
    }
    lanes_.run(
        "alarms", issueWorkers_, [this, look](std::stop_token) { alarms_.record(look->notices); },
        [this, look](const auto& failure) {
            if (failure) {
                report(event_id::jobFailed, "the alarms", *failure);
                return lookAtAlarms(parts_.clock.now() + retryDelay);
            }
            alarms_.show(*look);
            runAlarmHook();
            runMetricsSoon();
        });
}

void Engine::runAlarmHook() {
    lanes_.run(
        "alarm-hook", alarmWorkers_, [this](std::stop_token) { alarms_.tell(); },
        [this](const auto& failure) {
            if (!failure) return;
            report(event_id::jobFailed, "telling of the alarms", *failure);
            schedule_.set("alarm-hook", parts_.clock.now() + retryDelay);
        });
}

void Engine::runMetricsSoon() {
    if (metricsDue_ || settings_.alarms.metricsFile.empty()) return;
    metricsDue_ = true;
    schedule_.set("metrics", parts_.clock.now() + metricsDelay);
}

void Engine::runMetrics() {
    if (stopping_) return;
    metricsDue_ = false;
    auto text = std::make_shared<std::string>(metricsText(parts_.views, parts_.clock.trust().trusted));
    if (*text == metrics_) return;
    lanes_.run(
        "metrics", issueWorkers_,
        [this, text](std::stop_token) { replaceMetricsFile(settings_.alarms.metricsFile, *text); },
        [this, text](const auto& failure) {
            if (!failure) {
                metrics_ = *text;
                return;
            }
            report(event_id::jobFailed, "the metrics file", *failure);
            schedule_.set("metrics", parts_.clock.now() + retryDelay);
        });
}

}  // namespace certmgr::engine
