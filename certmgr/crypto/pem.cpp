#include "certmgr/crypto/pem.h"

#include <algorithm>
#include <string>

#include "certmgr/core/error.h"

namespace certmgr::crypto {
namespace {

constexpr std::string_view beginMark = "-----BEGIN ";
constexpr std::string_view dashes = "-----";

[[noreturn]] void throwCutOff(std::string_view text, std::size_t begin) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
    throw Error(ErrorKind::rejected, "bad-pem",
                "the PEM block that begins in line " + std::to_string(line) +
                    " has no END line of the same kind: the text is cut off or damaged, give the whole file");
}

}  // namespace

std::vector<PemBlock> pemBlocks(std::string_view text) {
    if (text.size() > maximumPemSize)
        throw Error(ErrorKind::rejected, "too-large",
                    "the text has " + std::to_string(text.size()) + " bytes, at most " +
                        std::to_string(maximumPemSize) +
                        " are taken: leave out what does not belong to the chain");
    std::vector<PemBlock> blocks;
    for (std::size_t begin = text.find(beginMark); begin != std::string_view::npos;) {
        const std::size_t labelBegin = begin + beginMark.size();
        const std::size_t labelEnd = text.find_first_of("-\r\n", labelBegin);
        if (labelEnd == std::string_view::npos || !text.substr(labelEnd).starts_with(dashes))
            throwCutOff(text, begin);
        const std::string_view label = text.substr(labelBegin, labelEnd - labelBegin);
        const std::string endMark = "-----END " + std::string(label) + "-----";
        const std::size_t end = text.find(endMark, labelEnd);
        const std::size_t next = text.find(beginMark, labelEnd);
        if (end == std::string_view::npos || next < end) throwCutOff(text, begin);
        blocks.push_back({label, text.substr(begin, end + endMark.size() - begin)});
        begin = next;
    }
    return blocks;
}

}  // namespace certmgr::crypto
