// RFC 8555 7.1.3 and 7.4
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "certmgr/core/identifier.h"

namespace certmgr::acme::wire {

enum class OrderStatus { pending, ready, processing, valid, invalid };

struct Order {
    OrderStatus status = OrderStatus::pending;
    std::vector<Identifier> identifiers;  // sorted: the RFC promises no order
    std::vector<std::string> authorizations;
    std::string finalize;
    std::string certificate;  // empty until valid
    std::string problem;      // the error member as JSON; empty: none
    std::string profile;      // empty: the CA does not say
};

Order parseOrder(std::string_view document);

// No notBefore and notAfter: public CAs refuse them.
// `replaces`, `profile`: empty: none.
std::string newOrderPayload(const std::vector<Identifier>& names, const std::string& replaces,
                            const std::string& profile);
std::string finalizePayload(std::span<const std::uint8_t> csrDer);

}  // namespace certmgr::acme::wire
