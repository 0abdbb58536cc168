#include "certmgr/acme/solvers/dns_persist_solver.h"

namespace certmgr::acme {

std::string DnsPersistSolver::whyNot(const Identifier& identifier, const Asking& ca) const {
    if (ca.account.empty()) return "needs a record that names our account at the CA, and there is none yet";
    const PersistAnswer answer = lookup_.look(identifier, ca);
    if (answer.record) return "";
    return "finds no TXT record that fits at " + persistOwner(identifier) + " (" + answer.why +
           "): put the one there that \"" + persistCommand(identifier) + "\" prints";
}

std::optional<Solver::Missing> DnsPersistSolver::missing(const Proof& proof) const {
    const std::string servers = lookup_.withoutRecord(proof.identifier, {proof.account, proof.issuers});
    if (servers.empty()) return std::nullopt;
    return Missing{"the record " + persistOwner(proof.identifier) + " at " + servers};
}

}  // namespace certmgr::acme
