#include "tests/unit/store/fault_vfs.h"

#include <stdexcept>

#include <sqlite3.h>

namespace testing_support {
namespace {

// SQLite's interface is one of C functions without a context of their own, so what they share is the one
// thing here that is global.
struct Plan {
    sqlite3_vfs* real = nullptr;
    sqlite3_vfs shim{};
    sqlite3_io_methods methods{};
    int callsLeft = 0;  // 0: no fault is planned
    int code = SQLITE_OK;
    bool failed = false;
};
Plan plan;

struct File {
    sqlite3_file base;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* realOf(sqlite3_file* file) {
    return reinterpret_cast<File*>(file)->real();
}

bool faultNow() {
    if (plan.code == SQLITE_OK) return false;
    if (plan.callsLeft > 1) {
        --plan.callsLeft;
        return false;
    }
    plan.failed = true;
    return true;
}

template <auto member, class... Arguments>
int pass(sqlite3_file* file, Arguments... arguments) {
    return (realOf(file)->pMethods->*member)(realOf(file), arguments...);
}

template <auto member, class... Arguments>
int passOrFail(sqlite3_file* file, Arguments... arguments) {
    return faultNow() ? plan.code : pass<member, Arguments...>(file, arguments...);
}

// The faults are those that SQLite is told of, not of the power supply: no sync has to reach the disk.
int sync(sqlite3_file*, int) {
    return faultNow() ? plan.code : SQLITE_OK;
}

int close(sqlite3_file* file) {
    return realOf(file)->pMethods->xClose(realOf(file));
}

void shmBarrier(sqlite3_file* file) {
    realOf(file)->pMethods->xShmBarrier(realOf(file));
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* outFlags) {
    file->pMethods = nullptr;
    const int result = plan.real->xOpen(plan.real, name, realOf(file), flags, outFlags);
    if (realOf(file)->pMethods) file->pMethods = &plan.methods;
    return result;
}

sqlite3_io_methods shimMethods() {
    using Methods = sqlite3_io_methods;
    Methods methods{};
    methods.iVersion = 2;
    methods.xClose = close;
    methods.xRead = pass<&Methods::xRead, void*, int, sqlite3_int64>;
    methods.xWrite = passOrFail<&Methods::xWrite, const void*, int, sqlite3_int64>;
    methods.xTruncate = passOrFail<&Methods::xTruncate, sqlite3_int64>;
    methods.xSync = sync;
    methods.xFileSize = pass<&Methods::xFileSize, sqlite3_int64*>;
    methods.xLock = pass<&Methods::xLock, int>;
    methods.xUnlock = pass<&Methods::xUnlock, int>;
    methods.xCheckReservedLock = pass<&Methods::xCheckReservedLock, int*>;
    methods.xFileControl = pass<&Methods::xFileControl, int, void*>;
    methods.xSectorSize = pass<&Methods::xSectorSize>;
    methods.xDeviceCharacteristics = pass<&Methods::xDeviceCharacteristics>;
    methods.xShmMap = pass<&Methods::xShmMap, int, int, int, void volatile**>;
    methods.xShmLock = pass<&Methods::xShmLock, int, int, int>;
    methods.xShmBarrier = shmBarrier;
    methods.xShmUnmap = pass<&Methods::xShmUnmap, int>;
    return methods;
}

}  // namespace

FaultVfs::FaultVfs() {
    plan = Plan{};
    plan.real = sqlite3_vfs_find(nullptr);
    plan.methods = shimMethods();
    plan.shim = *plan.real;
    plan.shim.szOsFile = static_cast<int>(sizeof(File)) + plan.real->szOsFile;
    plan.shim.zName = "fault";
    plan.shim.pNext = nullptr;
    plan.shim.xOpen = open;
    if (sqlite3_vfs_register(&plan.shim, 1) != SQLITE_OK)
        throw std::runtime_error("SQLite refused the fault VFS");
}

FaultVfs::~FaultVfs() {
    sqlite3_vfs_unregister(&plan.shim);
    sqlite3_vfs_register(plan.real, 1);
}

void FaultVfs::failFrom(int nth, int sqliteCode) {
    plan.callsLeft = nth;
    plan.code = sqliteCode;
    plan.failed = false;
}

void FaultVfs::heal() {
    plan.code = SQLITE_OK;
}

bool FaultVfs::failed() const {
    return plan.failed;
}

}  // namespace testing_support
