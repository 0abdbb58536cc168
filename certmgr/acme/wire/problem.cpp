#include "certmgr/acme/wire/problem.h"

#include <algorithm>
#include <utility>

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {
namespace {

using nlohmann::json;

constexpr std::string_view prefix = "urn:ietf:params:acme:error:";

constexpr std::string_view shownElsewhere = "(its page is shown as Pause)";
constexpr std::string_view notShown = "(its page cannot be shown)";  // it is no URL that could be visited
constexpr std::string_view shownNowhere = "URL";

// Takes all of them out of the text, whatever they are; `shown`: those that may be visited. Boulder's words:
// "Your account is temporarily prevented from requesting certificates for gw.example.com and possibly others.
// Please visit: https://portal.letsencrypt.org/sfe/v1/unpause?jwt=…"
std::vector<std::string> takeUnpauseUrls(std::string& text, std::string_view shown, std::string_view other) {
    std::vector<std::string> urls;
    for (std::size_t at = text.find("https://"); at != std::string::npos; at = text.find("https://", at)) {
        const std::size_t end = std::min(text.find_first_of(" \t\r\n\"'<>", at), text.size());
        std::string url = text.substr(at, end - at);
        if (url.find("unpause") == std::string::npos) {
            at = end;
            continue;
        }
        const std::string_view instead = isHttpsUrl(url) ? shown : other;
        text.replace(at, end - at, instead);
        at += instead.size();
        urls.push_back(std::move(url));
    }
    return urls;
}

// Puts the first URL that may be visited into `unpauseUrl`, if there is none yet.
std::string member(const json& object, const char* name, std::string& unpauseUrl) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return "";
    auto text = found->get<std::string>();
    for (std::string& url : takeUnpauseUrls(text, shownElsewhere, notShown))
        if (unpauseUrl.empty() && isHttpsUrl(url)) unpauseUrl = std::move(url);
    return plainWords(text);
}

std::string identifierOf(const json& problem, std::string& unpauseUrl) {
    const auto found = problem.find("identifier");
    return found != problem.end() && found->is_object() ? member(*found, "value", unpauseUrl) : "";
}

std::string words(const std::string& type, const std::string& detail) {
    if (detail.empty()) return type;
    return type.empty() ? detail : detail + " (" + type + ")";
}

}  // namespace

bool Problem::is(std::string_view acmeError) const {
    return type.starts_with(prefix) && std::string_view(type).substr(prefix.size()) == acmeError;
}

Problem parseProblem(std::string_view document) {
    const json object = parseJson(document);
    if (!object.is_object()) return {};
    Problem problem;
    std::string& url = problem.unpauseUrl;
    problem.detail = member(object, "detail", url);
    problem.type = member(object, "type", url);
    problem.instance = member(object, "instance", url);
    const auto subproblems = object.find("subproblems");
    if (subproblems == object.end() || !subproblems->is_array()) return problem;
    for (const json& entry : *subproblems)
        if (entry.is_object())
            problem.subproblems.push_back(
                {member(entry, "type", url), member(entry, "detail", url), identifierOf(entry, url)});
    return problem;
}

std::string withoutUnpauseUrls(const std::string& document) {
    bool changed = false;
    const auto clean = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth >= deepestLevel) changed = true;
        if (event != json::parse_event_t::value || !parsed.is_string()) return depth < deepestLevel;
        auto text = parsed.get<std::string>();
        if (takeUnpauseUrls(text, shownNowhere, shownNowhere).empty()) return true;
        changed = true;
        parsed = std::move(text);
        return true;
    };
    const json object = json::parse(document, clean, /*allow_exceptions=*/false);
    if (object.is_discarded()) return document.find("unpause") == std::string::npos ? document : "";
    return changed ? object.dump() : document;
}

std::string sentence(const Problem& problem) {
    std::string text = words(problem.type, problem.detail);
    if (text.empty()) text = "no reason given";
    for (const Problem::Subproblem& each : problem.subproblems) {
        text += "; " + (each.identifier.empty() ? "" : each.identifier + ": ");
        text += words(each.type, each.detail);
    }
    return text;
}

std::string compoundProblem(const std::vector<std::string>& documents) {
    if (documents.size() == 1) return documents.front();
    json all = json::array();
    for (const std::string& document : documents) all.push_back(parseJson(document));
    return json{{"type", std::string(prefix) + "compound"}, {"subproblems", std::move(all)}}.dump();
}

}  // namespace certmgr::acme::wire
