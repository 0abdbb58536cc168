// RFC 8555 7.4.2: the chain that is served, of those that the CA gives for one certificate.
#pragma once

#include <stop_token>
#include <string>

#include "certmgr/acme/session.h"
#include "certmgr/core/chain_choice.h"

namespace certmgr::acme {

struct ChosenChain {
    std::string pem;
    std::string reason;  // why this one, for people
};

// The alternates are asked for only where the first will not do; one that cannot be had, or is for another
// leaf, is left out. Error(transient, "chain-expired") where none is valid: the same order may have a better
// one tomorrow. A first one that cannot be read is returned as it is, for the caller to refuse.
ChosenChain fetchChain(Session::Impl& ca, const std::string& url, const ChainWish& wish,
                       OrderJournal& journal, const std::stop_token& stop);

}  // namespace certmgr::acme
