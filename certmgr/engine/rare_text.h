// A text that most of a thousand objects don't have: no larger than a pointer where it is empty.
#pragma once

#include <memory>
#include <string>

namespace certmgr::engine {

// A value, like the std::string that it reads as.
class RareText {
  public:
    RareText() = default;
    RareText(const std::string&
                 text)  // NOLINT(google-explicit-constructor): it is a std::string to whoever uses it
        : text_(text.empty() ? nullptr : std::make_unique<const std::string>(text)) {}
    RareText(const char* text) : RareText(std::string(text)) {}  // NOLINT(google-explicit-constructor)
    RareText(const RareText& other) : RareText(other.str()) {}
    RareText(RareText&&) noexcept = default;
    RareText& operator=(const RareText& other) { return *this = RareText(other); }
    RareText& operator=(RareText&&) noexcept = default;
    ~RareText() = default;

    const std::string& str() const noexcept {
        static const std::string none;
        return text_ ? *text_ : none;
    }
    operator const std::string&() const noexcept { return str(); }  // NOLINT(google-explicit-constructor)
    bool empty() const noexcept { return !text_; }
    bool operator==(const RareText& other) const noexcept { return str() == other.str(); }

  private:
    std::unique_ptr<const std::string> text_;
};

}  // namespace certmgr::engine
