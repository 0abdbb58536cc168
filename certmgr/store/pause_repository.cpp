#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {

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
    while (query.next()) {
        CaPause& pause = pauses.emplace_back();
        pause.subject = query.text();
        pause.until = query.time();
        pause.reason = query.text();
        pause.url = query.text();
    }
    return pauses;
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
