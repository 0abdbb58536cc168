// SQLite's file system with a fault in it: the Nth call that changes a file fails. Syncs are counted, not
// done.
#pragma once

namespace testing_support {

// Stands in for the default VFS while it lives; one at a time, and no database may be open across its ends.
class FaultVfs {
  public:
    FaultVfs();
    ~FaultVfs();
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;

    // Writes, truncations and syncs from now on: number `nth` (from 1) and all after it fail with
    // `sqliteCode`.
    void failFrom(int nth, int sqliteCode);
    void heal();
    bool failed() const;  // a call was failed since failFrom()
};

}  // namespace testing_support
