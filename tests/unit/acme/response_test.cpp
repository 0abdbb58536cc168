#include "certmgr/acme/response.h"

#include <gtest/gtest.h>

namespace certmgr::acme {
namespace {

using net::HttpResponse;
using std::chrono::seconds;
constexpr std::chrono::sys_seconds now{seconds(1'800'000'000)};  // Fri, 15 Jan 2027 08:00:00 GMT

std::optional<seconds> retryAfterOf(std::multimap<std::string, std::string> headers) {
    return retryAfter({503, std::move(headers), ""}, now);
}

TEST(RetryAfter, IsSecondsOrADate) {
    EXPECT_EQ(retryAfterOf({}), std::nullopt);
    EXPECT_EQ(retryAfterOf({{"retry-after", "120"}}), seconds(120));
    EXPECT_EQ(retryAfterOf({{"retry-after", "Fri, 15 Jan 2027 08:01:00 GMT"}}), seconds(60));
    EXPECT_EQ(retryAfterOf({{"retry-after", "Fri, 15 Jan 2027 07:00:00 GMT"}}), seconds(0));
    for (const char* const wrong : {"", "soon", "-5", "5s", "1e9", "99999999999999999999"})
        EXPECT_EQ(retryAfterOf({{"retry-after", wrong}}), std::nullopt) << wrong;
}

TEST(RetryAfter, ADateIsMeasuredByTheServersOwnClock) {
    EXPECT_EQ(retryAfterOf({{"date", "Sat, 01 Jan 2022 00:00:00 GMT"},
                            {"retry-after", "Sat, 01 Jan 2022 00:00:30 GMT"}}),
              seconds(30));
}

Error errorOf(const HttpResponse& response) {
    try {
        requireSuccess(response, "newOrder");
    } catch (const Error& error) {
        return error;
    }
    return Error(ErrorKind::internal, "none", "no error");
}

HttpResponse problem(int status, const std::string& type,
                     std::multimap<std::string, std::string> headers = {}) {
    headers.emplace("content-type", "application/problem+json; charset=utf-8");
    return {
        status, std::move(headers),
        R"({"type":"urn:ietf:params:acme:error:)" + type +
            R"(","detail":"no","subproblems":[{"type":"urn:x","detail":"bad","identifier":{"type":"dns","value":"a.example"}}]})"};
}

TEST(Success, IsAnyOf2xx) {
    EXPECT_EQ(errorOf({200, {}, ""}).code(), "none");
    EXPECT_EQ(errorOf({201, {}, ""}).code(), "none");
}

TEST(Problem, IsKeptWholeAndToldInWords) {
    const HttpResponse response = problem(403, "rejectedIdentifier");
    const Error error = errorOf(response);
    EXPECT_EQ(error.kind(), ErrorKind::rejected);
    EXPECT_EQ(error.problem(), response.body);
    EXPECT_STREQ(error.what(),
                 "newOrder: no (urn:ietf:params:acme:error:rejectedIdentifier); a.example: bad (urn:x)");
    EXPECT_TRUE(isProblem(error, "rejectedIdentifier"));
    EXPECT_FALSE(isProblem(error, "badNonce"));
}

TEST(Problem, KindsFollowWhatTheCallerCanDo) {
    EXPECT_EQ(errorOf(problem(429, "rateLimited")).kind(), ErrorKind::rateLimited);
    EXPECT_EQ(errorOf(problem(403, "rateLimited")).kind(), ErrorKind::rateLimited);
    EXPECT_EQ(errorOf(problem(503, "rateLimited", {{"retry-after", "60"}})).kind(), ErrorKind::rateLimited);
    EXPECT_TRUE(errorOf(problem(429, "rateLimited", {{"retry-after", "60"}})).retryAt().has_value());
    EXPECT_EQ(errorOf(problem(500, "serverInternal")).kind(), ErrorKind::transient);
    EXPECT_EQ(errorOf(problem(403, "userActionRequired")).kind(), ErrorKind::misconfigured);
    EXPECT_EQ(errorOf(problem(400, "malformed")).kind(), ErrorKind::rejected);
}

HttpResponse pausedAt(const std::string& url) {
    return {
        429,
        {{"content-type", "application/problem+json"}},
        R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"Your account is temporarily prevented )"
        R"(from requesting certificates for gw.example.com and possibly others. Please visit: )" +
            url + R"(","status":429})"};
}

TEST(Pause, ItsPageIsKeptWholeAndOutOfTheWords) {
    const std::string url = "https://portal.letsencrypt.org/sfe/v1/unpause?jwt=" + std::string(1500, 'x');
    const Error error = errorOf(pausedAt(url));
    EXPECT_EQ(error.kind(), ErrorKind::rateLimited);
    EXPECT_EQ(unpauseUrl(error), url);
    EXPECT_STREQ(error.what(),
                 "newOrder: Your account is temporarily prevented from requesting certificates for "
                 "gw.example.com and possibly others. Please visit: (its page is shown as Pause) "
                 "(urn:ietf:params:acme:error:rateLimited)");
    EXPECT_NE(error.problem().find(url), std::string::npos);
    EXPECT_EQ(problemForLog(error).find("jwt"), std::string::npos);
    EXPECT_NE(problemForLog(error).find("Please visit: URL"), std::string::npos);
    EXPECT_NE(problemForLog(errorOf(pausedAt(R"(https:\/\/ca\/unpause?jwt=1)"))).find("visit: URL\""),
              std::string::npos)
        << "also where it is written otherwise";
    EXPECT_EQ(unpauseUrl(errorOf(pausedAt(R"(https:\/\/ca\/unpause?jwt=1)"))), "https://ca/unpause?jwt=1");
    EXPECT_EQ(unpauseUrl(errorOf(pausedAt("https://letsencrypt.org/docs/rate-limits/#"))), "");
    EXPECT_EQ(problemForLog(errorOf(problem(429, "rateLimited"))), problem(429, "rateLimited").body);
}

TEST(Pause, APageThatCannotBeVisitedIsKeptOutOfTheWordsToo) {
    const Error error = errorOf(pausedAt("https://ca.example/unpause?jwt=" + std::string(2100, 'x')));
    EXPECT_EQ(unpauseUrl(error), "");
    EXPECT_EQ(std::string(error.what()).find("jwt"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("Please visit: (its page cannot be shown)"), std::string::npos)
        << error.what();
    EXPECT_EQ(problemForLog(error).find("jwt"), std::string::npos);
}

TEST(Pause, ItsPageIsTakenOutWhereverItIsNamed) {
    const Error error = errorOf(
        {429,
         {{"content-type", "application/problem+json"}},
         R"({"type":"urn:ietf:params:acme:error:rateLimited",)"
         R"("detail":"See https://ca/docs; visit https://ca/unpause?jwt=1 or \"https://ca/unpause?jwt=2\".",)"
         R"("subproblems":[{"type":"urn:x","detail":"at https:\/\/ca\/unpause?jwt=3","identifier":)"
         R"({"type":"dns","value":"a.example"}}],"other":[{"x":"https://ca/unpause?jwt=4"}]})"});
    EXPECT_EQ(unpauseUrl(error), "https://ca/unpause?jwt=1");
    EXPECT_STREQ(
        error.what(),
        "newOrder: See https://ca/docs; visit (its page is shown as Pause) or \"(its page is shown as "
        "Pause)\". (urn:ietf:params:acme:error:rateLimited); a.example: at (its page is shown as "
        "Pause) (urn:x)");
    EXPECT_EQ(problemForLog(error).find("jwt"), std::string::npos) << problemForLog(error);
    EXPECT_NE(problemForLog(error).find("https://ca/docs"), std::string::npos) << problemForLog(error);
}

TEST(Pause, ItsPageStaysOutOfTheLogWithADocumentThatCannotBeRead) {
    const Error error = errorOf({429,
                                 {{"content-type", "application/problem+json"}},
                                 R"({"detail":"visit https://ca/unpause?jwt=1")"});
    EXPECT_EQ(problemForLog(error), "");
    EXPECT_EQ(std::string(error.what()).find("jwt"), std::string::npos) << error.what();
}

TEST(RateLimit, IsExplainedWhereTheHelpLinkLeads) {
    const std::multimap<std::string, std::string> help{
        {"link", "<https://letsencrypt.org/docs/rate-limits>;rel=\"help\""}};
    EXPECT_TRUE(std::string(errorOf(problem(429, "rateLimited", help)).what())
                    .ends_with("; see https://letsencrypt.org/docs/rate-limits"));
}

TEST(Overload, IsNoRefusal) {
    EXPECT_EQ(errorOf({503, {{"retry-after", "60"}}, ""}).code(), overloadedCode);
    EXPECT_EQ(errorOf({503, {}, ""}).kind(), ErrorKind::transient);
    EXPECT_EQ(errorOf({429, {{"retry-after", "60"}}, ""}).code(), "rate-limited");
}

TEST(Problem, BrokenOnesAreStillErrors) {
    for (const char* const body : {"", "[]", "{\"type\":7}", "{\"subproblems\":[1,{\"identifier\":2}]}"}) {
        const Error error = errorOf({400, {{"content-type", "application/problem+json"}}, body});
        EXPECT_EQ(error.kind(), ErrorKind::rejected) << error.what();
    }
}

TEST(Link, IsFoundAmongOthers) {
    const HttpResponse response{
        200,
        {{"link", R"(<https://ca/dir>;rel="index", <https://ca/list?cursor=2>; rel="next")"},
         {"link", "<https://ca/up>;rel=up"},
         {"link", R"(<http://ca/plain>;rel="plain")"}},
        ""};
    EXPECT_EQ(linkTarget(response, "next"), "https://ca/list?cursor=2");
    EXPECT_EQ(linkTarget(response, "up"), "https://ca/up");
    EXPECT_EQ(linkTarget(response, "plain"), std::nullopt);
    EXPECT_EQ(linkTarget({200, {{"link", "<<<>;rel"}, {"link", "<"}}, ""}, "next"), std::nullopt);
}

TEST(LinkTargets, areAllOfThem) {
    const net::HttpResponse response{
        200,
        {{"link", "<https://ca/1>;rel=\"alternate\", <https://ca/index>;rel=\"index\""},
         {"link", "<https://ca/2>;rel=\"alternate\""},
         {"link", "<http://ca/3>;rel=\"alternate\""}},
        ""};
    EXPECT_EQ(linkTargets(response, "alternate", 8),
              (std::vector<std::string>{"https://ca/1", "https://ca/2"}));
    EXPECT_EQ(linkTargets(response, "alternate", 1), std::vector<std::string>{"https://ca/1"});
    EXPECT_TRUE(linkTargets(response, "up", 8).empty());
}

}  // namespace
}  // namespace certmgr::acme
