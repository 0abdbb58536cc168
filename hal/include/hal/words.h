// The values of an enumeration and their words, side by side, both ways.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace hal {

template <class Value, std::size_t size>
using Words = std::array<std::pair<Value, std::string_view>, size>;

template <class Value, std::size_t size>
constexpr std::string_view wordOf(const Words<Value, size>& words, Value value) noexcept {
    for (const auto& [candidate, word] : words)
        if (candidate == value) return word;
    return "";
}

template <class Value, std::size_t size>
constexpr std::optional<Value> valueNamed(const Words<Value, size>& words, std::string_view text) noexcept {
    for (const auto& [value, word] : words)
        if (word == text) return value;
    return std::nullopt;
}

}  // namespace hal
