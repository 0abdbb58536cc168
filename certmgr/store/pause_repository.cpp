#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {
namespace {

CaPause pauseFrom(Query& query) {
    CaPause pause;
    pause.subject = query.text();
    pause.until = query.time();
    pause.reason = query.text();
    pause.url = query.text();
    return pause;
}

}  // namespace

void PauseRepository::put(const std::string& directory, const CaPause& pause) {
    Query(database_,
          "INSERT OR REPLACE INTO ca_pauses (directory, subject, until, reason, url) VALUES (?, ?, ?, ?, ?)",
          directory, pause.subject, pause.until, pause.reason, pause.url)
        .run();
}

std::vector<CaPause> PauseRepository::list(const std::string& directory) {
    std::vector<CaPause> pauses;
    Query query(database_,
                "SELECT subject, until, reason, url FROM ca_pauses WHERE directory = ? ORDER BY subject",
                directory);
    while (query.next()) pauses.push_back(pauseFrom(query));
    return pauses;
}

std::optional<CaPause> PauseRepository::find(const std::string& directory, const std::string& subject) {
    Query query(database_,
                "SELECT subject, until, reason, url FROM ca_pauses WHERE directory = ? AND subject = ?",
                directory, subject);
    return query.next() ? std::optional(pauseFrom(query)) : std::nullopt;
}

bool PauseRepository::any(const std::string& directory) {
    return Query(database_, "SELECT 1 FROM ca_pauses WHERE directory = ? LIMIT 1", directory).next();
}

void PauseRepository::remove(const std::string& directory, const std::string& subject) {
    Query(database_, "DELETE FROM ca_pauses WHERE directory = ? AND subject = ?", directory, subject).run();
}

void PauseRepository::removeAll(const std::string& directory) {
    Query(database_, "DELETE FROM ca_pauses WHERE directory = ?", directory).run();
}

void PauseRepository::forgetOver(TimePoint now) {
    Query(database_, "DELETE FROM ca_pauses WHERE until <= ?", now).run();
}

}  // namespace certmgr::store
