#include "certmgr/config/table_reader.h"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>

namespace certmgr::config {
namespace {

constexpr std::uintmax_t longestFile = 1024 * 1024;

[[noreturn]] void refuseFile(const std::filesystem::path& file, const std::string& sentence) {
    throw Error(ErrorKind::misconfigured, "bad-config", file.string() + ": " + sentence);
}

std::string describe(const toml::node& node) {
    std::ostringstream text;
    text << node.type();
    return text.str();
}

// Levenshtein's distance.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < other.size(); ++j) {
            const std::size_t replaced = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string readAll(const std::filesystem::path& file) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (!std::filesystem::is_regular_file(status))
        refuseFile(file, "found no regular file; put a TOML file there");
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error) refuseFile(file, "cannot be read: " + error.message());
    if (size > longestFile)
        refuseFile(file, "found " + std::to_string(size) +
                             " bytes, expected at most 1 MiB; this is no file of settings");
    std::ifstream stream(file, std::ios::binary);
    std::string content(size, '\0');
    stream.read(content.data(), static_cast<std::streamsize>(size));
    if (!stream) refuseFile(file, "cannot be read; check owner and rights of the file and its folder");
    return content;
}

}  // namespace

void refuseAt(const toml::source_region& place, const std::string& sentence) {
    throw Error(ErrorKind::misconfigured, "bad-config",
                (place.path ? *place.path : "?") + ":" + std::to_string(place.begin.line) + ":" +
                    std::to_string(place.begin.column) + ": " + sentence);
}

toml::table readToml(const std::filesystem::path& file) {
    try {
        return toml::parse(readAll(file), file.string());
    } catch (const toml::parse_error& error) {
        refuseAt(error.source(),
                 "this is not TOML: " + std::string(error.description()) + "; correct this line");
    }
}

const toml::node* TableReader::find(std::string_view key) {
    known_.emplace(key);
    return table_.get(key);
}

bool TableReader::read(std::string_view key, std::string& target) {
    const toml::node* node = find(key);
    if (!node) return false;
    if (!node->is_string())
        refuse(key, "found a value of type " + describe(*node) + ", expected a string in quotes");
    target = node->as_string()->get();
    // No value of ours is more than a line, and each may come to stand in a message.
    if (std::any_of(target.begin(), target.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }))
        refuse(key, "found a control character in the string, expected one line of text; remove it");
    return true;
}

bool TableReader::read(std::string_view key, bool& target) {
    const toml::node* node = find(key);
    if (!node) return false;
    if (!node->is_boolean())
        refuse(key, "found a value of type " + describe(*node) + ", expected true or false");
    target = node->as_boolean()->get();
    return true;
}

bool TableReader::read(std::string_view key, std::vector<std::string>& target) {
    const toml::node* node = find(key);
    if (!node) return false;
    const std::string expected = "expected a list of strings, as [\"one\", \"two\"]";
    if (!node->is_array()) refuse(key, "found a value of type " + describe(*node) + ", " + expected);
    target.clear();
    for (const toml::node& element : *node->as_array()) {
        if (!element.is_string() || element.as_string()->get().empty())
            refuseAt(element.source(), std::string(key) + ": found " +
                                           (element.is_string() ? "an empty string" : describe(element)) +
                                           ", " + expected);
        target.push_back(element.as_string()->get());
    }
    return true;
}

bool TableReader::readPath(std::string_view key, std::filesystem::path& target) {
    std::string text;
    if (!read(key, text)) return false;
    if (!text.starts_with('/'))
        refuse(key, "found \"" + text + "\", expected an absolute path, beginning with \"/\"");
    target = text;
    return true;
}

bool TableReader::readInteger(std::string_view key, std::int64_t& target, std::int64_t least,
                              std::int64_t most) {
    const toml::node* node = find(key);
    if (!node) return false;
    const std::string expected =
        "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    if (!node->is_integer()) refuse(key, "found a value of type " + describe(*node) + ", " + expected);
    target = node->as_integer()->get();
    if (target < least || target > most) refuse(key, "found " + std::to_string(target) + ", " + expected);
    return true;
}

std::optional<TableReader> TableReader::table(std::string_view key) {
    const toml::node* node = find(key);
    if (!node) return std::nullopt;
    if (!node->is_table())
        refuse(key, "found a value of type " + describe(*node) + ", expected a table, as [" +
                        std::string(key) + "]");
    return TableReader(*node->as_table());
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
    std::vector<TableReader> result;
    const toml::node* node = find(key);
    if (!node) return result;
    const std::string expected = "expected tables, each as [[" + std::string(key) + "]]";
    if (!node->is_array()) refuse(key, "found a value of type " + describe(*node) + ", " + expected);
    for (const toml::node& element : *node->as_array()) {
        if (!element.is_table()) refuseAt(element.source(), "found " + describe(element) + ", " + expected);
        result.emplace_back(*element.as_table());
    }
    return result;
}

std::vector<TableReader> TableReader::oneOrMore(std::string_view key) {
    const toml::node* node = find(key);
    if (node && node->is_array()) return tables(key);
    std::vector<TableReader> result;
    if (auto only = table(key)) result.push_back(*std::move(only));
    return result;
}

void TableReader::refuse(std::string_view key, const std::string& sentence) const {
    const toml::node* node = table_.get(key);
    refuseAt(node ? node->source() : table_.source(), std::string(key) + ": " + sentence);
}

void TableReader::finish() const {
    for (const auto& [key, node] : table_) {
        const std::string_view found = key.str();
        if (known_.contains(found)) continue;
        const auto nearest =
            std::min_element(known_.begin(), known_.end(), [&](const auto& one, const auto& other) {
                return distance(one, found) < distance(other, found);
            });
        const bool meant = nearest != known_.end() &&
                           distance(*nearest, found) <= std::max<std::size_t>(2, found.size() / 3);
        refuseAt(key.source(), "found the unknown key \"" + std::string(found) + "\"" +
                                   (meant ? "; did you mean \"" + *nearest + "\"?" : "; remove it"));
    }
}

}  // namespace certmgr::config
