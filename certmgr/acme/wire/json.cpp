#include "certmgr/acme/wire/json.h"

#include <algorithm>

#include "certmgr/core/error.h"

namespace certmgr::acme::wire {

using nlohmann::json;

Object Object::parse(std::string_view text, std::string what) {
    return Object(parseJson(text), std::move(what));
}

Object::Object(json value, std::string what) : value_(std::move(value)), what_(std::move(what)) {
    if (!value_.is_object()) refuse("expected a JSON object, found something else");
}

void Object::refuse(const std::string& complaint) const {
    throw Error(ErrorKind::misconfigured, "not-acme", what_ + " is not as RFC 8555 says: " + complaint);
}

std::string Object::text(const char* member) const {
    if (std::optional<std::string> found = optionalText(member)) return *std::move(found);
    refuse(std::string("\"") + member + "\" is missing");
}

std::string Object::url(const char* member) const {
    if (std::optional<std::string> found = optionalUrl(member)) return *std::move(found);
    refuse(std::string("\"") + member + "\" is missing");
}

std::optional<std::string> Object::optionalText(const char* member) const {
    const auto found = value_.find(member);
    if (found == value_.end() || found->is_null()) return std::nullopt;
    if (!found->is_string()) refuse(std::string("\"") + member + "\" is no text");
    return found->get<std::string>();
}

std::optional<std::string> Object::optionalUrl(const char* member) const {
    std::optional<std::string> found = optionalText(member);
    if (!found || found->empty()) return std::nullopt;
    if (!isHttpsUrl(*found)) refuse(std::string("\"") + member + "\" is no https:// URL");
    return found;
}

std::optional<Object> Object::optionalObject(const char* member) const {
    const auto found = value_.find(member);
    if (found == value_.end() || found->is_null()) return std::nullopt;
    return Object(*found, what_ + ": \"" + member + "\"");
}

bool Object::flag(const char* member) const {
    const auto found = value_.find(member);
    return found != value_.end() && found->is_boolean() && found->get<bool>();
}

std::vector<std::string> Object::members() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : value_.items()) names.push_back(name);
    return names;
}

std::vector<std::string> Object::urls(const char* member) const {
    const auto found = value_.find(member);
    if (found == value_.end() || !found->is_array()) refuse(std::string("\"") + member + "\" is no list");
    std::vector<std::string> all;
    for (const json& entry : *found) {
        if (!entry.is_string() || !isHttpsUrl(entry.get_ref<const std::string&>()))
            refuse(std::string("\"") + member + "\" holds something that is no https:// URL");
        all.push_back(entry.get<std::string>());
    }
    return all;
}

std::vector<std::string> Object::texts(const char* member) const {
    std::vector<std::string> all;
    const auto found = value_.find(member);
    if (found == value_.end() || !found->is_array()) return all;
    for (const json& entry : *found)
        if (entry.is_string()) all.push_back(entry.get<std::string>());
    return all;
}

std::vector<Object> Object::objects(const char* member) const {
    const auto found = value_.find(member);
    if (found == value_.end() || !found->is_array()) refuse(std::string("\"") + member + "\" is no list");
    std::vector<Object> all;
    for (const json& entry : *found) all.emplace_back(entry, what_ + ": \"" + member + "\"");
    return all;
}

json parseJson(std::string_view text) {
    const auto keep = [](int depth, json::parse_event_t, const json&) { return depth < deepestLevel; };
    return json::parse(text, keep, /*allow_exceptions=*/false);
}

bool isHttpsUrl(std::string_view text) {
    constexpr std::size_t maxUrl = 2048;
    const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
    return text.starts_with("https://") && text.size() <= maxUrl &&
           std::all_of(text.begin(), text.end(), printable);
}

std::string plainWords(std::string_view text) {
    constexpr std::size_t maxWords = 1000;
    std::string words(text.substr(0, maxWords));
    std::replace_if(
        words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; },
        ' ');
    return text.size() > maxWords ? words + " …" : words;
}

}  // namespace certmgr::acme::wire
