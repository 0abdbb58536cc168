#include "hal/client/wire.h"

#include "hal/error.h"

namespace hal::wire {
namespace {

constexpr std::size_t lengthSize = 4;

void appendLength(std::string& out, std::size_t length) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((length >> shift) & 0xff);
}

Error badMessage(const std::string& found) {
    return Error(ErrorKind::rejected, "bad-message", "the message is not one of keyd's protocol: " + found);
}

std::string_view takeField(std::string_view& rest) {
    if (rest.size() < lengthSize) throw badMessage("it ends within the length of a field");
    const std::size_t length = lengthAt(rest);
    rest.remove_prefix(lengthSize);
    if (rest.size() < length) throw badMessage("a field is longer than the message");
    const std::string_view field = rest.substr(0, length);
    rest.remove_prefix(length);
    return field;
}

}  // namespace

std::size_t lengthAt(std::string_view octets) noexcept {
    std::size_t length = 0;
    for (std::size_t i = 0; i < lengthSize; ++i) length = length << 8 | static_cast<unsigned char>(octets[i]);
    return length;
}

std::string encode(const Message& message) {
    std::size_t size = 1;
    for (const std::string& field : message.fields) size += lengthSize + field.size();
    if (size > maxFrame)
        throw Error(ErrorKind::rejected, "bad-message",
                    "a message of " + std::to_string(size) + " bytes is more than keyd's protocol carries (" +
                        std::to_string(maxFrame) + ")");
    std::string frame;
    frame.reserve(lengthSize + size);  // never moved while it grows: it may hold a secret
    appendLength(frame, size);
    frame += static_cast<char>(message.tag);
    for (const std::string& field : message.fields) {
        appendLength(frame, field.size());
        frame += field;
    }
    return frame;
}

Message decode(std::string_view frame) {
    if (frame.empty()) throw badMessage("it is empty");
    if (frame.size() > maxFrame) throw badMessage("it is longer than " + std::to_string(maxFrame) + " bytes");
    Message message{static_cast<std::uint8_t>(frame.front()), {}};
    for (std::string_view rest = frame.substr(1); !rest.empty();)
        message.fields.emplace_back(takeField(rest));
    return message;
}

}  // namespace hal::wire
