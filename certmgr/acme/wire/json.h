// Reading the JSON of RFC 8555. What is not as the RFC says is an Error(misconfigured, "not-acme") that names
// the object and the member; members that the RFC does not know are ignored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace certmgr::acme::wire {

class Object {
  public:
    // `what` names the object for people: "the order".
    static Object parse(std::string_view text, std::string what);
    Object(nlohmann::json value, std::string what);

    std::string text(const char* member) const;
    std::string url(const char* member) const;  // https
    std::optional<std::string> optionalText(const char* member) const;
    std::optional<std::string> optionalUrl(const char* member) const;
    std::optional<Object> optionalObject(const char* member) const;
    std::vector<std::string> texts(const char* member) const;  // whatever else it is: none
    bool flag(const char* member) const;                       // absent: false
    std::vector<std::string> urls(const char* member) const;
    std::vector<Object> objects(const char* member) const;
    std::vector<std::string> members() const;  // their names, sorted
    std::string dump() const { return value_.dump(); }

    [[noreturn]] void refuse(const std::string& complaint) const;

  private:
    nlohmann::json value_;
    std::string what_;
};

// Of a document with more levels the rest is left out: RFC 8555 needs few, and what copies or writes it goes
// down through all of them.
inline constexpr int deepestLevel = 32;
nlohmann::json parseJson(std::string_view text);  // discarded: it is none

// An absolute https URL of printable ASCII: everything that a server hands out must be one before it is asked
// for.
bool isHttpsUrl(std::string_view text);

// Words of the other side made fit for a message: control characters out, and of bounded length.
std::string plainWords(std::string_view text);

}  // namespace certmgr::acme::wire
