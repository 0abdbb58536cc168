// The characters of ASCII, whatever the locale says of them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace certmgr {

constexpr bool isDigit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr bool isLower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
constexpr bool isUpper(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}
constexpr bool isLetterOrDigit(char c) noexcept {
    return isLower(c) || isUpper(c) || isDigit(c);
}
// RFC 5234 B.1, VCHAR.
constexpr bool isVisible(char c) noexcept {
    return c > ' ' && c < 0x7f;
}

constexpr char lowered(char c) noexcept {
    return isUpper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char raised(char c) noexcept {
    return isLower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}
inline std::string lowered(std::string text) {
    std::ranges::for_each(text, [](char& c) { c = lowered(c); });
    return text;
}

// Without blanks at its ends; `blanks`: all characters that are one there.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") noexcept {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace certmgr
