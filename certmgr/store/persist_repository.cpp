#include "certmgr/store/query.h"
#include "certmgr/store/repositories.h"

namespace certmgr::store {

void PersistRepository::put(const PersistRow& row) {
    Query(database_,
          "INSERT OR REPLACE INTO persist_records (certificate, name, ca, until, complaint, next_look) "
          "VALUES (?, ?, ?, ?, ?, ?)",
          row.certificate, row.name, row.ca, row.until, row.complaint, row.nextLook)
        .run();
}

void PersistRepository::seen(const PersistRow& row, TimePoint due) {
    Query(database_,
          "UPDATE persist_records SET until = ?, complaint = ?, next_look = ? "
          "WHERE certificate = ? AND name = ? AND next_look = ?",
          row.until, row.complaint, row.nextLook, row.certificate, row.name, due)
        .run();
}

void PersistRepository::forget(const CertificateId& certificate, const std::string& name) {
    Query(database_, "DELETE FROM persist_records WHERE certificate = ? AND name = ?", certificate, name)
        .run();
}

std::vector<PersistRow> PersistRepository::list(const CertificateId& certificate) {
    std::vector<PersistRow> rows;
    Query query(database_,
                "SELECT name, ca, until, complaint, next_look FROM persist_records WHERE certificate = ? "
                "ORDER BY name",
                certificate);
    while (query.next()) {
        PersistRow& row = rows.emplace_back();
        row.certificate = certificate;
        row.name = query.text();
        row.ca = query.text();
        row.until = query.optionalTime();
        row.complaint = query.text();
        row.nextLook = query.time();
    }
    return rows;
}

}  // namespace certmgr::store
