// An order whose URL never came, looked for among those of the account (RFC 8555 7.1.2.1), and one that was
// given up too early.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certmgr/acme/session.h"

namespace certmgr::acme {

struct LostOrder {
    std::optional<std::string> url;
    std::string doubt;  // why it may be there although it was not found; empty: it is not
};

// An order for these names (sorted) that no intent of ours owns and that is of use: where it has a
// certificate already, with the key of the request or one that the journal takes, which is the intent's when
// this returns. What the CA cannot say about an order or its list is no error but a doubt; a network that
// fails, a CA that asks to wait and a stop are.
LostOrder findLostOrder(Session::Impl& ca, const std::vector<Identifier>& names, const hal::Bytes& csr,
                        OrderJournal& journal, const std::stop_token& stop);

// One of OrderJournal::ordersGivenUp() that has a certificate with such a key. Key and errors likewise.
std::optional<std::string> findOrderGivenUp(Session::Impl& ca, const std::vector<Identifier>& names,
                                            const hal::Bytes& csr, OrderJournal& journal,
                                            const std::stop_token& stop);

}  // namespace certmgr::acme
