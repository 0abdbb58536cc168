// The database on its way into a backup, and from one into the place of the one that is there.
#pragma once

#include <filesystem>

#include "certmgr/store/database.h"

namespace certmgr::store {

// What a key is for that belonged to the state before a restore, and to nothing in the one restored.
inline constexpr const char* replacedKey = "replaced";

// Writes a consistent copy of what is stored, compact, mode 0600, durable; what was in `file` is lost.
void copyTo(Database& database, const std::filesystem::path& file);

// Of a database that somebody else brought. Error(rejected, "backup-damaged").
void requireWhole(Database& database);

// A restore in two steps, so that a crash at any moment leaves either state whole, and so that nobody holds
// the file open that is replaced. First a folder with the file "certmgr.db" is filled beside the database,
// then renamed to what pendingRestore() names: from then on the restored state counts. At the next start,
// before the database is opened, adoptRestored() puts it into its place; called again after a crash it
// goes on where it was. Returns whether there was something to adopt.
//
// What the state before leaves behind is taken over: its keys, as replacedKey, for someone to destroy; its
// generation numbers, above which the restored ones are lifted, since what lies on disk for the services
// bears them; of authorities that both have, what they issued and revoked since; and what was used of the
// limits of CAs, where that is more. What was last deployed,
// and what services were told, is forgotten: they are brought everything anew.
std::filesystem::path pendingRestore(const std::filesystem::path& stateDirectory);
bool adoptRestored(const std::filesystem::path& stateDirectory);

}  // namespace certmgr::store
