#include "hal/keyd/tpm_session.h"

#include <algorithm>
#include <cctype>

#include <tss2/tss2_mu.h>

#include "hal/keyd/tpm_error.h"
#include "hal/keyd/tpm_templates.h"

namespace hal::keyd {
namespace {

// A bare TPM has three transient slots: two loaded keys, and one that Load needs for a persistent parent.
constexpr std::size_t mostLoaded = 2;

// The TCG's place for the storage root key, then some of the owner's range (TCG registry of reserved
// handles, 2.3.1).
constexpr std::array<TPM2_HANDLE, 5> parentHandles{0x81000001, 0x81000c00, 0x81000c01, 0x81000c02,
                                                   0x81000c03};

// No resource manager keeps callers apart: what lies in the slots is a crashed predecessor's, and ours to
// flush.
bool isBare(const std::string& tcti) {
    if (tcti.starts_with("swtpm") || tcti.starts_with("mssim")) return true;
    constexpr std::string_view device = "device:/dev/tpm";
    return tcti.starts_with(device) && tcti.size() > device.size() &&
           std::isdigit(static_cast<unsigned char>(tcti[device.size()]));
}

Bytes nameOf(ESYS_CONTEXT* esys, ESYS_TR object) {
    TPM2B_NAME* name = nullptr;
    checkTpm(Esys_TR_GetName(esys, object, &name), "Esys_TR_GetName");
    const EsysBuffer<TPM2B_NAME> owner(name);
    return Bytes(name->name, name->name + name->size);
}

}  // namespace

void freeEsys(void* memory) noexcept {
    Esys_Free(memory);
}

TpmSession::TpmSession(const std::string& tcti) {
    TSS2_TCTI_CONTEXT* transport = nullptr;
    checkTpm(Tss2_TctiLdr_Initialize(tcti.c_str(), &transport), "connecting to " + tcti);
    tcti_.reset(transport);
    ESYS_CONTEXT* context = nullptr;
    checkTpm(Esys_Initialize(&context, transport, nullptr), "Esys_Initialize");
    esys_.reset(context);
    start();
    if (isBare(tcti)) flushLeftovers();
}

TpmSession::~TpmSession() {
    unloadAll();
}

void TpmSession::start() const {
    try {
        property(TPM2_PT_PERMANENT);
    } catch (const TpmError& error) {
        if (!error.lost()) throw;
        checkTpm(Esys_Startup(esys(), TPM2_SU_CLEAR), "TPM2_Startup");  // a TPM that nobody has started yet
    }
}

void TpmSession::flushLeftovers() const {
    for (const UINT32 first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
        TPMS_CAPABILITY_DATA* data = nullptr;
        TPMI_YES_NO more = 0;
        checkTpm(Esys_GetCapability(esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, first,
                                    64, &more, &data),
                 "TPM2_GetCapability");
        const EsysBuffer<TPMS_CAPABILITY_DATA> owner(data);
        for (UINT32 i = 0; i < data->data.handles.count; ++i) {
            ESYS_TR object = ESYS_TR_NONE;
            const TSS2_RC found = Esys_TR_FromTPMPublic(esys(), data->data.handles.handle[i], ESYS_TR_NONE,
                                                        ESYS_TR_NONE, ESYS_TR_NONE, &object);
            if (found == TSS2_RC_SUCCESS) checkTpm(Esys_FlushContext(esys(), object), "TPM2_FlushContext");
        }
    }
}

std::uint32_t TpmSession::property(TPM2_PT which) const {
    TPMS_CAPABILITY_DATA* data = nullptr;
    TPMI_YES_NO more = 0;
    checkTpm(Esys_GetCapability(esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                                which, 1, &more, &data),
             "TPM2_GetCapability");
    const EsysBuffer<TPMS_CAPABILITY_DATA> owner(data);
    const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
    return properties.count == 1 && properties.tpmProperty[0].property == which
               ? properties.tpmProperty[0].value
               : 0;
}

bool TpmSession::lockedOut() const {
    return property(TPM2_PT_PERMANENT) & TPMA_PERMANENT_INLOCKOUT;
}

bool TpmSession::full() const {
    return loaded_.empty() && property(TPM2_PT_HR_TRANSIENT_AVAIL) == 0;
}

std::optional<StorageParent> TpmSession::parentAt(TPM2_HANDLE handle) const {
    StorageParent parent{ESYS_TR_NONE, handle, {}, false};
    try {
        checkTpm(
            Esys_TR_FromTPMPublic(esys(), handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &parent.object),
            "Esys_TR_FromTPMPublic");
    } catch (const TpmError& error) {
        if (error.absentHandle()) return std::nullopt;
        throw;
    }
    TPM2B_PUBLIC* area = nullptr;
    checkTpm(Esys_ReadPublic(esys(), parent.object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr,
                             nullptr),
             "TPM2_ReadPublic");
    const EsysBuffer<TPM2B_PUBLIC> owner(area);
    if (isStorageKey(*area)) parent.name = nameOf(esys(), parent.object);
    parent.subjectToLockout = !(area->publicArea.objectAttributes & TPMA_OBJECT_NODA);
    return parent;
}

StorageParent TpmSession::makeParentAt(TPM2_HANDLE handle) const {
    const TPM2B_PUBLIC area = storageKeyTemplate();
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    ESYS_TR primary = ESYS_TR_NONE;
    checkTpm(
        Esys_CreatePrimary(esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                           &area, &outside, &pcrs, &primary, nullptr, nullptr, nullptr, nullptr),
        "TPM2_CreatePrimary");
    StorageParent parent{ESYS_TR_NONE, handle, nameOf(esys(), primary), false};
    const TSS2_RC kept = Esys_EvictControl(esys(), ESYS_TR_RH_OWNER, primary, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                           ESYS_TR_NONE, handle, &parent.object);
    Esys_FlushContext(esys(), primary);
    checkTpm(kept, "TPM2_EvictControl");
    return parent;
}

const StorageParent& TpmSession::parent() {
    if (chosen_) return parents_.at(*chosen_);
    for (const TPM2_HANDLE handle : parentHandles) {
        if (avoided_.contains(handle)) continue;
        std::optional<StorageParent> found = parentAt(handle);
        if (!found) found = makeParentAt(handle);
        if (found->name.empty()) continue;  // something else lies there
        chosen_ = handle;
        return parents_.insert_or_assign(handle, *std::move(found)).first->second;
    }
    throw Error(
        ErrorKind::misconfigured, "tpm-full",
        "none of the TPM's persistent handles 0x81000001 and 0x81000c00 to 0x81000c03 is a storage key "
        "without a password, or free for one: remove what nobody needs with tpm2_evictcontrol");
}

void TpmSession::avoidParent() {
    if (chosen_) avoided_.insert(*std::exchange(chosen_, std::nullopt));
}

const StorageParent& TpmSession::parentOf(const TpmObject& object) {
    if (const auto known = parents_.find(object.parentHandle);
        known != parents_.end() && known->second.name == object.parentName)
        return known->second;
    std::optional<StorageParent> found = parentAt(object.parentHandle);
    if (found && found->name == object.parentName)
        return parents_.insert_or_assign(object.parentHandle, *std::move(found)).first->second;
    // Someone evicted it. A primary key is derived from the TPM's seed: where it was ours, ours again is the
    // same.
    if (const StorageParent& ours = parent(); ours.name == object.parentName) return ours;
    throw Error(
        ErrorKind::misconfigured, "tpm-failed",
        "the storage key under which this key was made is no longer in the TPM: it was cleared or exchanged, "
        "reissue with a new key");
}

ESYS_TR TpmSession::loadInto(const StorageParent& parent, const TpmObject& object) const {
    TPM2B_PUBLIC publicArea{};
    TPM2B_PRIVATE privateArea{};
    std::size_t offset = 0;
    checkTpm(Tss2_MU_TPM2B_PUBLIC_Unmarshal(object.publicArea.data(), object.publicArea.size(), &offset,
                                            &publicArea),
             "the public area in the key file");
    offset = 0;
    checkTpm(Tss2_MU_TPM2B_PRIVATE_Unmarshal(object.privateArea.data(), object.privateArea.size(), &offset,
                                             &privateArea),
             "the private area in the key file");
    ESYS_TR loaded = ESYS_TR_NONE;
    checkTpm(Esys_Load(esys(), parent.object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &privateArea,
                       &publicArea, &loaded),
             "TPM2_Load");
    return loaded;
}

ESYS_TR TpmSession::load(const TpmObject& object) {
    const auto known = std::find_if(loaded_.begin(), loaded_.end(), [&](const Loaded& candidate) {
        return candidate.privateArea == object.privateArea;
    });
    if (known != loaded_.end()) {
        loaded_.splice(loaded_.end(), loaded_, known);
        return known->object;
    }
    const StorageParent& parent = parentOf(object);
    while (loaded_.size() >= mostLoaded) unloadOldest();
    ESYS_TR fresh = ESYS_TR_NONE;
    try {
        fresh = loadInto(parent, object);
    } catch (const TpmError& error) {
        if (!error.outOfSlots() || loaded_.empty()) throw;
        unloadAll();
        fresh = loadInto(parent, object);
    }
    loaded_.push_back({object.privateArea, fresh});
    return fresh;
}

void TpmSession::unloadOldest() noexcept {
    Esys_FlushContext(esys(), loaded_.front().object);  // a failure shows at the next Load
    loaded_.pop_front();
}

void TpmSession::unloadAll() noexcept {
    while (!loaded_.empty()) unloadOldest();
}

}  // namespace hal::keyd
