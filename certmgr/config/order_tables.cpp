#include "certmgr/config/order_tables.h"

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

}  // namespace certmgr::config
