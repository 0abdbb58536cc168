#include "certmgr/acme/wire/problem.h"

#include <algorithm>
#include <utility>

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {
namespace {

using nlohmann::json;

constexpr std::string_view prefix = "urn:ietf:params:acme:error:";

constexpr std::string_view shownElsewhere = "(its page is shown as Pause)";

std::string rawMember(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string member(const json& object, const char* name) {
    return plainWords(rawMember(object, name));
}

// Boulder's words: "Your account is temporarily prevented from requesting certificates for gw.example.com and
// possibly others. Please visit: https://portal.letsencrypt.org/sfe/v1/unpause?jwt=…"
std::string takeUnpauseUrl(std::string& detail) {
    for (std::size_t at = detail.find("https://"); at != std::string::npos;
         at = detail.find("https://", at + 1)) {
        const std::size_t end = std::min(detail.find_first_of(" \t\r\n\"'<>", at), detail.size());
        std::string url = detail.substr(at, end - at);
        if (url.find("unpause") == std::string::npos || !isHttpsUrl(url)) continue;
        detail.replace(at, end - at, shownElsewhere);
        return url;
    }
    return "";
}

std::string identifierOf(const json& problem) {
    const auto found = problem.find("identifier");
    return found != problem.end() && found->is_object() ? member(*found, "value") : "";
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
    const json object = json::parse(document, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return {};
    std::string detail = rawMember(object, "detail");
    std::string unpauseUrl = takeUnpauseUrl(detail);
    Problem problem{
        member(object, "type"), plainWords(detail), member(object, "instance"), {}, std::move(unpauseUrl)};
    const auto subproblems = object.find("subproblems");
    if (subproblems == object.end() || !subproblems->is_array()) return problem;
    for (const json& entry : *subproblems)
        if (entry.is_object())
            problem.subproblems.push_back(
                {member(entry, "type"), member(entry, "detail"), identifierOf(entry)});
    return problem;
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
    for (const std::string& document : documents) all.push_back(json::parse(document, nullptr, false));
    return json{{"type", std::string(prefix) + "compound"}, {"subproblems", std::move(all)}}.dump();
}

}  // namespace certmgr::acme::wire
