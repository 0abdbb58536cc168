#include "certmgr/engine/views.h"

#include <tuple>

#include <gtest/gtest.h>

namespace certmgr::engine {
namespace {

using Heard = std::tuple<Views::Kind, std::string, Views::Change>;

class ViewsTest : public testing::Test {
  protected:
    ViewsTest() {
        views.listen(
            [this](const Views::Event& event) { heard.emplace_back(event.kind, event.id, event.change); });
    }
    Views views;
    std::vector<Heard> heard;
};

TEST_F(ViewsTest, TellsWhatCameChangedAndWent) {
    JobView job;
    job.id = "1";
    views.put(job);
    job.state = "done";
    views.put(job);
    EXPECT_EQ(views.jobs().at("1").state, "done");
    views.remove(Views::Kind::job, "1");
    EXPECT_TRUE(views.jobs().empty());
    EXPECT_EQ(heard, (std::vector<Heard>{{Views::Kind::job, "1", Views::Change::added},
                                         {Views::Kind::job, "1", Views::Change::changed},
                                         {Views::Kind::job, "1", Views::Change::removed}}));
}

TEST_F(ViewsTest, ShowsWhatChangedAsItWasAndAsItIs) {
    JobView job;
    job.id = "1";
    views.put(job);
    std::vector<std::string> states;
    views.listen([&](const Views::Event& event) {
        for (const void* view : {event.before, event.after})
            states.push_back(static_cast<const JobView*>(view)->state);
    });
    job.state = "done";
    views.put(job);
    EXPECT_EQ(states, (std::vector<std::string>{"", "done"}));
}

TEST_F(ViewsTest, EqualValuesAndAbsentOnesTellNothing) {
    CertificateView certificate;
    certificate.id = "gw.example";
    views.put(certificate);
    heard.clear();
    views.put(certificate);
    views.remove(Views::Kind::certificate, "absent.example");
    EXPECT_TRUE(heard.empty());
}

TEST_F(ViewsTest, AnEmptyViewIsAddedToo) {
    views.put(AuthorityView{});
    EXPECT_EQ(heard.size(), 1U);
}

TEST_F(ViewsTest, ServicesAreKnownByTheirName) {
    ServiceView service;
    service.name = "web-ui";
    views.put(service);
    EXPECT_TRUE(views.services().contains("web-ui"));
    views.listen({});
    views.remove(Views::Kind::service, "web-ui");
    EXPECT_EQ(heard.size(), 1U);
}

}  // namespace
}  // namespace certmgr::engine
