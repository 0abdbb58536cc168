// Strict reading of TOML: every value has its type and range, every key is known, and whatever is wrong is
// said with file, line and column.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "certmgr/core/error.h"

namespace certmgr::config {

// At most 1 MiB, a regular file. Throws Error(misconfigured, "bad-config").
toml::table readToml(const std::filesystem::path& file);

// Throws "FILE:LINE:COLUMN: sentence".
[[noreturn]] void refuseAt(const toml::source_region& place, const std::string& sentence);

// One table. Every read names a key and so makes it known; finish() refuses the keys that nobody read. The
// table must outlive its reader. Absent keys leave the target as it is.
class TableReader {
  public:
    explicit TableReader(const toml::table& table) : table_(table) {}

    bool has(std::string_view key) { return find(key) != nullptr; }
    bool read(std::string_view key, std::string& target);
    bool read(std::string_view key, bool& target);
    bool read(std::string_view key, std::vector<std::string>& target);
    bool readPath(std::string_view key, std::filesystem::path& target);  // absolute
    bool readInteger(std::string_view key, std::int64_t& target, std::int64_t least, std::int64_t most);

    // A word of a list: `from` is its "…From" function, `words` what is said of it in an error.
    template <class Value>
    bool readWord(std::string_view key, Value& target,
                  std::optional<Value> (*from)(std::string_view) noexcept, std::string_view words) {
        std::string text;
        if (!read(key, text)) return false;
        const std::optional<Value> value = from(text);
        if (!value) refuse(key, "found \"" + text + "\", expected one of " + std::string(words));
        target = *value;
        return true;
    }

    std::optional<TableReader> table(std::string_view key);
    std::vector<TableReader> tables(std::string_view key);
    std::vector<TableReader> oneOrMore(std::string_view key);  // [key], or each [[key]]

    // Says `sentence` of the value of `key`, or of the whole table where it has none.
    [[noreturn]] void refuse(std::string_view key, const std::string& sentence) const;
    void finish() const;

  private:
    const toml::node* find(std::string_view key);

    const toml::table& table_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace certmgr::config
