// The engine ends soon, whatever it waits for.
#include "tests/unit/engine/engine_fixture.h"

namespace certmgr::engine {
namespace {

using testing_support::FakeService;

TEST_F(EngineTest, AStopEndsAProofThatWouldLastForAnHour) {
    profile.probes.front().timeout = std::chrono::hours(1);
    service = std::make_unique<FakeService>(generations, profile);
    service->set(FakeService::Mood::ignoresReload);
    ca.setDown(true);
    launchEngine();
    testing_support::waitUntil("the proof has begun", [this] {
        queue.drain();
        return service->reloads() > 0;
    });
    stopEngine();
    ASSERT_EQ(service->reloads(), 1);

    service->set(FakeService::Mood::good);
    startEngine();
    EXPECT_EQ(view("gw.example.com").proof, "proved") << "the next start goes on where this one stopped";
}

TEST_F(EngineTest, AStopEndsAnUploadWhoseWriterNeverCloses) {
    startEngine();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const hal::UniqueFd writer(ends[1]);
    UploadCommand command;
    command.contents.emplace_back(ends[0]);
    const std::string upload = engine->upload(std::move(command));
    engine->stop();
    settle();
    EXPECT_EQ(job(upload).errorCode, "cancelled");
}

}  // namespace
}  // namespace certmgr::engine
