// What travels between keyd and its callers over the UNIX stream socket.
//
// A message is a frame: 4 octets length of what follows (big endian, at most maxFrame), 1 octet tag, then any
// number of fields, each 4 octets length and the bytes. A request's tag is the Operation; a reply's tag is 0
// (done: the fields named below) or 1 (an Error: kind, code, message). A connection carries one request after
// another. keyd takes the caller's rights from SO_PEERCRED and SO_PEERGROUPS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hal::wire {

enum class Operation : std::uint8_t {
    make = 1,  // id, algorithm, policy, label, users joined by '\n', groups joined by '\n' -> KeyInfo fields
    import = 2,  // as make, then the PEM                                                    -> KeyInfo fields
    find = 3,  // id                                                                       -> KeyInfo fields,
               // or none
    list = 4,  // nothing; replies are pages: `after` id (empty: from the start)           -> KeyInfo fields,
               // repeated
    sign = 5,  // id, scheme, hash, digest                                                 -> signature
    destroy = 6,  // id                                                                       -> "1" or "0"
    release = 7,  // id                                                                       -> PEM
    health = 8,   // nothing                                  -> (backend, usable "1"/"0", reasonCode, reason)
                  // repeated
    setAccess = 9,       // id, users joined by '\n', groups joined by '\n' -> nothing
    exportWrapped = 10,  // id, wrapping key                           -> wrapped key
    importWrapped = 11,  // id, wrapping key, wrapped key              -> KeyInfo fields
};
inline constexpr std::uint8_t done = 0;
inline constexpr std::uint8_t failed = 1;
inline constexpr std::size_t maxFrame = 256 * 1024;

struct Message {
    std::uint8_t tag = 0;
    std::vector<std::string> fields;
};

// With the length in front. Throws Error(rejected, "bad-message") for more than maxFrame.
std::string encode(const Message& message);
// The big-endian number in the first four octets, which must be there.
std::size_t lengthAt(std::string_view octets) noexcept;
// `frame` without the length. Throws Error(rejected, "bad-message") for anything that is not exactly a
// message.
Message decode(std::string_view frame);

}  // namespace hal::wire
