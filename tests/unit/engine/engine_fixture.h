// An engine on a manual clock, with keys, CA and service in memory, and a real database.
#pragma once

#include <memory>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>

#include "certmgr/engine/engine.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_acme.h"
#include "tests/support/fake_persist_lookup.h"
#include "tests/support/fake_solver.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_key_store.h"
#include "tests/unit/engine/fake_service.h"

namespace certmgr::engine {

class MemoryLog : public EventLog {
  public:
    void write(const Event& event) noexcept override {
        const std::lock_guard lock(mutex_);
        messages_.push_back(event.message);
    }
    bool contains(const std::string& text) const { return count(text) > 0; }
    std::ptrdiff_t count(const std::string& text) const {
        const std::lock_guard lock(mutex_);
        return std::count_if(messages_.begin(), messages_.end(), [&](const std::string& message) {
            return message.find(text) != std::string::npos;
        });
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> messages_;
};

// A program that is told of alarms; `failing` ones say so after they were told.
class MemoryHook : public AlarmHook {
  public:
    void tell(const std::vector<AlarmNotice>& notices) override {
        const std::lock_guard lock(mutex_);
        for (const AlarmNotice& notice : notices)
            told_.push_back(std::string(toString(notice.event)) + " " + idOf(notice.alarm));
        if (failing_) throw Error(ErrorKind::misconfigured, "alarm-program-failed", "no mail server");
    }
    void fail() {
        const std::lock_guard lock(mutex_);
        failing_ = true;
    }
    std::vector<std::string> told() const {
        const std::lock_guard lock(mutex_);
        return told_;
    }

  private:
    mutable std::mutex mutex_;
    bool failing_ = false;
    std::vector<std::string> told_;
};

inline constexpr std::chrono::hours day{24};
inline const TimePoint start =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);

class EngineTest : public testing::Test {
  protected:
    EngineTest() {
        profile.name = "web";
        profile.description = "Web interface";
        profile.certificates.push_back(specFor("gw.example.com"));
        settings.cas = {{"fake", testing_support::FakeAcme::directory, "", {}, true}};
        settings.stateDirectory = folder.path();
        settings.keyPolicy = hal::KeyPolicy::file;
        settings.publicNamesOnly = false;  // example.com is reserved
        settings.workers = 4;
    }
    ~EngineTest() override { stopEngine(); }

    static CertificateSpec specFor(const std::string& name) {
        CertificateSpec spec;
        spec.names = parseIdentifiers({name});
        spec.id = certificateIdFor(spec.names);
        spec.keyPolicy = hal::KeyPolicy::file;
        return spec;
    }

    // What the daemon's composition root does; a second call is a restart on the same disk.
    void startEngine() {
        launchEngine();
        settle();
    }

    void launchEngine() {
        stopEngine();
        views = std::make_unique<Views>();
        database = std::make_unique<store::Database>(folder / "certmgr.db");
        if (!service) service = std::make_unique<testing_support::FakeService>(generations, profile);
        deployer = std::make_unique<deploy::Deployer>(generations, *service, *service);
        const auto http = [this](const acme::CaSettings& asked) {
            return std::make_unique<testing_support::FakeAcme::Client>(asked.name == "second" ? secondCa
                                                                                              : ca);
        };
        std::vector<ServiceProfile> profiles{profile};
        profiles.insert(profiles.end(), otherProfiles.begin(), otherProfiles.end());
        engine = std::make_unique<Engine>(Parts{*database, keys, *deployer, generations, solvers, solvers,
                                                http, persistLookup, clock, log, queue, *views, hook},
                                          settings, profiles);
        engine->start();
    }

    void stopEngine() {
        if (!engine) return;
        engine->stop();
        settle();
        engine.reset();
    }

    // Until no worker runs any more.
    void settle() {
        while (!engine->idle()) {
            pollfd waiting{queue.fd(), POLLIN, 0};
            ASSERT_GT(::poll(&waiting, 1, 30'000), 0) << "the engine hangs";
            queue.drain();
        }
    }

    // Runs everything that falls due up to `time`, at its time.
    void runUntil(TimePoint time) {
        while (engine->nextDue() && *engine->nextDue() <= time) {
            if (*engine->nextDue() > clock.now()) clock.advance(*engine->nextDue() - clock.now());
            engine->runDue();
            settle();
        }
        clock.advance(time - clock.now());
    }

    const CertificateView& view(const std::string& id) const { return views->certificates().at(id); }
    const JobView& job(const std::string& id) const { return views->jobs().at(id); }

    static hal::UniqueFd fileWith(const std::string& content) {
        hal::UniqueFd fd(::memfd_create("upload", MFD_CLOEXEC));
        EXPECT_EQ(::write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
        ::lseek(fd.get(), 0, SEEK_SET);
        return fd;
    }

    testing_support::TemporaryDirectory folder;
    testing_support::ManualClock clock{start};
    testing_support::FakeAcme ca{clock}, secondCa{clock};
    testing_support::MemoryKeyStore keys;
    MemoryLog log;
    MemoryHook hook;
    testing_support::FakeSolver solver, persistSolver{ChallengeKind::dnsPersist01};
    std::vector<std::reference_wrapper<acme::Solver>> solvers{solver};  // that are set up
    testing_support::FakePersistLookup persistLookup{clock};
    MainQueue queue;
    config::Settings settings;
    ServiceProfile profile;
    std::vector<ServiceProfile> otherProfiles;  // `service` does not serve them
    std::unique_ptr<Views> views;
    std::unique_ptr<store::Database> database;
    const deploy::GenerationStore generations{folder / "live"};
    std::unique_ptr<testing_support::FakeService> service;
    std::unique_ptr<deploy::Deployer> deployer;
    std::unique_ptr<Engine> engine;
};

}  // namespace certmgr::engine
