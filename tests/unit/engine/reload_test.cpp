// Two modules on one nginx must not see each other's half-done swap: one lock for each thing that is
// reloaded.
#include <condition_variable>

#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

// How many looks of different deployments were under way at once. Each waits a little for another to join it.
class Meeting {
  public:
    explicit Meeting(std::chrono::milliseconds patience) : patience_(patience) {}

    void attend() {
        std::unique_lock lock(mutex_);
        most_ = std::max(most_, ++present_);
        changed_.notify_all();
        changed_.wait_for(lock, patience_, [this] { return most_ > 1; });
        --present_;
    }
    int most() const { return most_; }

  private:
    const std::chrono::milliseconds patience_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int present_ = 0;
    int most_ = 0;
};

class ReloadTest : public EngineTest {
  protected:
    int deploymentsAtOnce(const std::string& unit, const std::string& otherUnit,
                          std::chrono::milliseconds patience) {
        Meeting meeting(patience);
        settings.acmeEnabled = false;
        profile.handle.unit = unit;
        profile.probes.front().timeout = std::chrono::milliseconds(50);
        otherProfiles = {profile};
        otherProfiles.front().name = "proxy";
        otherProfiles.front().handle.unit = otherUnit;
        otherProfiles.front().certificates = {specFor("app.example.com")};
        service = std::make_unique<testing_support::FakeService>(generations, profile);
        service->onLook = [&] { meeting.attend(); };
        startEngine();
        stopEngine();
        return meeting.most();
    }
};

TEST_F(ReloadTest, ModulesOfOneUnitAreBroughtOneAfterTheOther) {
    EXPECT_EQ(deploymentsAtOnce("nginx.service", "nginx.service", std::chrono::milliseconds(300)), 1);
}

TEST_F(ReloadTest, ModulesOfDifferentUnitsDoNotWaitForEachOther) {
    EXPECT_EQ(deploymentsAtOnce("nginx.service", "haproxy.service", std::chrono::seconds(20)), 2);
}

}  // namespace
}  // namespace certmgr::engine
