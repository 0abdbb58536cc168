// A text that many objects have alike, or that most don't have: equal ones are held once, and each place that
// has one takes a pointer. A gateway with a thousand certificates has a handful of issuers, reasons and
// states.
#pragma once

#include <concepts>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace certmgr::engine {

// A value, like the std::string that it reads as. Any thread.
class SharedText {
  public:
    SharedText() = default;
    template <std::convertible_to<std::string_view> Text>
    // NOLINTNEXTLINE(google-explicit-constructor): it is a std::string to who uses it
    SharedText(const Text& text) : held_(hold(text)) {}
    SharedText(const SharedText& other);
    SharedText(SharedText&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    SharedText& operator=(SharedText other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~SharedText();

    // As long as this object lives and is not assigned to.
    const std::string& str() const noexcept;
    operator const std::string&() const noexcept { return str(); }  // NOLINT(google-explicit-constructor)
    bool empty() const noexcept { return held_ == nullptr; }
    bool operator==(const SharedText& other) const noexcept { return held_ == other.held_; }
    template <std::convertible_to<std::string_view> Text>
    bool operator==(const Text& other) const noexcept {
        return str() == std::string_view(other);
    }

    friend std::ostream& operator<<(std::ostream& stream, const SharedText& text) {
        return stream << text.str();
    }

  private:
    using Held = std::pair<const std::string, std::size_t>;  // how many have it
    static Held* hold(std::string_view text);
    Held* held_ = nullptr;  // none: the empty text
};

}  // namespace certmgr::engine
