#include "certmgr/net/ldns_support.h"

#include "certmgr/core/ascii.h"
#include "certmgr/core/error.h"

namespace certmgr::net {

LdnsRdata parsed(ldns_rdf_type type, const std::string& text) {
    LdnsRdata rdata(ldns_rdf_new_frm_str(type, text.c_str()));
    if (!rdata)
        throw Error(ErrorKind::misconfigured, "bad-dns-name",
                    "found \"" + text + "\" where a name or an address of DNS was expected");
    return rdata;
}

LdnsRdata parsedName(const std::string& name) {
    return parsed(LDNS_RDF_TYPE_DNAME, name);
}

LdnsResolver systemResolver() {
    ldns_resolver* made = nullptr;
    const ldns_status status = ldns_resolver_new_frm_file(&made, nullptr);
    if (status != LDNS_STATUS_OK)
        throw Error(ErrorKind::misconfigured, "dns-unreachable",
                    std::string("/etc/resolv.conf names no resolver that can be asked: ") +
                        ldns_get_errorstr_by_id(status));
    return LdnsResolver(made);
}

std::string nameOf(const ldns_rdf* name) {
    const std::unique_ptr<char, hal::Deleter<::free>> text(ldns_rdf2str(name));
    std::string result = lowered(text ? text.get() : "");
    if (result.ends_with('.')) result.pop_back();
    return result;
}

std::string textOf(const ldns_rr* record) {
    std::string text;
    for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
        const ldns_rdf* const part = ldns_rr_rdf(record, i);  // a length octet and that many more
        if (ldns_rdf_size(part) > 1)
            text.append(reinterpret_cast<const char*>(ldns_rdf_data(part)) + 1, ldns_rdf_size(part) - 1);
    }
    return text;
}

}  // namespace certmgr::net
