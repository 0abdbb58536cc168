#include "certmgr/config/order_tables.h"

#include "certmgr/core/chain_choice.h"

namespace certmgr::config {

void readAcmeProfile(TableReader& reader, const std::string& key, AcmeProfile& profile) {
    const std::string required = key + "_required";
    AcmeProfile named;
    if (reader.read(key, named.name)) {
        if (!isAcmeProfileName(named.name))
            reader.refuse(key, "found \"" + named.name +
                                   "\", expected the name of a profile as the CA has it, as \"shortlived\"");
        profile = named;
    }
    if (reader.read(required, profile.required) && profile.name.empty())
        reader.refuse(required, "found it without " + key + ", which says what is required");
}

void readPreferredChain(TableReader& reader, std::string& preferred) {
    std::string text;
    if (!reader.read("preferred_chain", text)) return;
    const std::optional<std::string> read = preferredChainFrom(text);
    if (!read)
        reader.refuse("preferred_chain", "found \"" + text +
                                             "\", expected the common name of a root or of another CA of the "
                                             "chain, or the SHA-256 of its certificate in hex");
    preferred = *read;
}

}  // namespace certmgr::config
