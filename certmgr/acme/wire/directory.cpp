#include "certmgr/acme/wire/directory.h"

#include "certmgr/acme/wire/json.h"
#include "certmgr/core/ascii.h"
#include "certmgr/core/certificate.h"
#include "certmgr/core/issue_value.h"

namespace certmgr::acme::wire {

Directory parseDirectory(std::string_view document) {
    const Object object = Object::parse(document, "the directory");
    Directory directory{object.url("newNonce"),          object.url("newAccount"),
                        object.url("newOrder"),          object.optionalUrl("renewalInfo"),
                        object.optionalUrl("keyChange"), object.optionalUrl("revokeCert")};
    if (const std::optional<Object> meta = object.optionalObject("meta")) {
        directory.termsOfService = plainWords(meta->optionalText("termsOfService").value_or(""));
        directory.externalAccountRequired = meta->flag("externalAccountRequired");
        if (const std::optional<Object> profiles = meta->optionalObject("profiles"))
            for (const std::string& name : profiles->members())
                if (isAcmeProfileName(name)) directory.profiles.push_back(name);
        for (const std::string& name : meta->texts("caaIdentities"))
            if (isIssuerName(lowered(name))) directory.caaIdentities.push_back(lowered(name));
    }
    return directory;
}

}  // namespace certmgr::acme::wire
