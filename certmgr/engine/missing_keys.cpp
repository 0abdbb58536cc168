#include "certmgr/engine/missing_keys.h"

#include "certmgr/store/restoration.h"

namespace certmgr::engine {
namespace {

constexpr std::string_view accountPurpose = "acme-account:";

}  // namespace

std::vector<std::string> missingKeys(Records& records, const IsMissing& isMissing) {
    std::vector<std::string> lines;
    for (const auto& [id, generation] : records.credentials.currentGenerations())
        if (isMissing(records.credentials.find(generation)->key))
            lines.push_back("key and certificate of " + id);
    for (const AuthorityRole role : {AuthorityRole::root, AuthorityRole::issuing})
        if (const auto newest = records.authorities.newest(role); newest && isMissing(newest->key))
            lines.push_back("the " + std::string(toString(role)) + " CA " + newest->summary.subject);
    for (const store::KeyRow& row : records.keys.list())
        if (row.purpose.starts_with(accountPurpose) && records.keys.used(row.id) && isMissing(row.id))
            lines.push_back("the account at " + row.purpose.substr(accountPurpose.size()));
    for (const store::UploadRow& upload : records.uploads.list())
        if (isMissing(upload.key))
            lines.push_back("upload " + std::to_string(upload.id) + ", " + upload.leaf.subject +
                            ": to be uploaded again");
    return lines;
}

std::vector<std::string> missingKeysOf(const std::filesystem::path& database, const IsMissing& isMissing) {
    try {
        store::Database opened(database);
        store::requireWhole(opened);
        Records records(opened);
        return missingKeys(records, isMissing);
    } catch (const Error& error) {
        if (error.code() != "database-corrupt" && error.code() != "database-not-ours") throw;
        throw Error(ErrorKind::rejected, "backup-damaged",
                    std::string("the database of the backup cannot be taken: ") + error.what());
    }
}

}  // namespace certmgr::engine
