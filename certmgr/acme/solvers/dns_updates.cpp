#include "certmgr/acme/solvers/dns_updates.h"

#include "certmgr/core/secret_file.h"

namespace certmgr::acme {

net::TsigKey DnsUpdates::key() const {
    return {settings_.keyName, settings_.algorithm, readSecret(settings_.secretFile)};
}

void DnsUpdates::add(const ProofRecord& record) {
    net::DnsClient(settings_.server).add(record.record, key());
}

void DnsUpdates::remove(const ProofRecord& record) {
    net::DnsClient(settings_.server).remove(record.record, key());
}

}  // namespace certmgr::acme
