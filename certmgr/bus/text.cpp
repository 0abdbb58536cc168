#include "certmgr/bus/text.h"

#include <cstddef>
#include <cstdint>

namespace certmgr::bus {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::size_t sequenceLength(unsigned char lead) {
    if (lead > 0 && lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

// RFC 3629 4: continuation octets, no surrogates, no overlong forms, nothing above U+10FFFF.
bool isSequence(std::string_view octets) {
    std::uint32_t point = static_cast<unsigned char>(octets[0]) & (0xFFU >> (octets.size() + 1));
    for (const char c : octets.substr(1)) {
        const auto octet = static_cast<unsigned char>(c);
        if ((octet & 0xC0U) != 0x80U) return false;
        point = point << 6U | (octet & 0x3FU);
    }
    if (octets.size() == 3) return point >= 0x800 && (point < 0xD800 || point > 0xDFFF);
    return octets.size() != 4 || (point >= 0x10000 && point <= 0x10FFFF);
}

}  // namespace

std::string validText(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequenceLength(static_cast<unsigned char>(text[0]));
        const bool valid = length > 0 && length <= text.size() && isSequence(text.substr(0, length));
        result += valid ? text.substr(0, length) : replacement;
        text.remove_prefix(valid ? length : 1);
    }
    return result;
}

}  // namespace certmgr::bus
