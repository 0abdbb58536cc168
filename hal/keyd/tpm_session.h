// One connection to the TPM, with what it holds in the TPM's slots. Internal to tpm*.cpp: libtss2 shows here.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "hal/handle.h"
#include "hal/keyd/tpm.h"

namespace hal::keyd {

// A storage key at a persistent handle.
struct StorageParent {
    ESYS_TR object = ESYS_TR_NONE;
    TPM2_HANDLE handle = 0;
    Bytes name;
    bool subjectToLockout = false;
};

class TpmSession {
  public:
    explicit TpmSession(const std::string& tcti);
    ~TpmSession();
    TpmSession(const TpmSession&) = delete;
    TpmSession& operator=(const TpmSession&) = delete;

    ESYS_CONTEXT* esys() const noexcept { return esys_.get(); }

    // Under which new objects are made; found or made when first asked for.
    const StorageParent& parent();
    // The parent's password is not empty: another one is taken for new objects.
    void avoidParent();
    // Loaded, and kept so while there is room.
    ESYS_TR load(const TpmObject& object);
    void unloadAll() noexcept;

    bool lockedOut() const;
    bool full() const;

  private:
    struct Loaded {
        Bytes privateArea;
        ESYS_TR object;
    };

    void start() const;
    void flushLeftovers() const;
    std::uint32_t property(TPM2_PT which) const;
    std::optional<StorageParent> parentAt(TPM2_HANDLE handle) const;
    StorageParent makeParentAt(TPM2_HANDLE handle) const;
    const StorageParent& parentOf(const TpmObject& object);
    ESYS_TR loadInto(const StorageParent& parent, const TpmObject& object) const;
    void unloadOldest() noexcept;

    static void finishTcti(TSS2_TCTI_CONTEXT* context) { Tss2_TctiLdr_Finalize(&context); }
    static void finishEsys(ESYS_CONTEXT* context) { Esys_Finalize(&context); }

    Handle<TSS2_TCTI_CONTEXT, finishTcti> tcti_;
    Handle<ESYS_CONTEXT, finishEsys> esys_;
    std::map<TPM2_HANDLE, StorageParent> parents_;
    std::optional<TPM2_HANDLE> chosen_;
    std::set<TPM2_HANDLE> avoided_;
    std::list<Loaded> loaded_;  // the least recently used first
};

void freeEsys(void* memory) noexcept;
template <class T>
using EsysBuffer = Handle<T, freeEsys>;

}  // namespace hal::keyd
