// The characters of ASCII, whatever the locale says of them.
#pragma once

#include <algorithm>
#include <string>

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

}  // namespace certmgr
