#include "certmgr/acme/wire/problem.h"

#include "certmgr/acme/wire/json.h"

namespace certmgr::acme::wire {
namespace {

using nlohmann::json;

constexpr std::string_view prefix = "urn:ietf:params:acme:error:";

std::string member(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? plainWords(found->get_ref<const std::string&>())
                                                       : "";
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
    Problem problem{member(object, "type"), member(object, "detail"), member(object, "instance"), {}};
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
