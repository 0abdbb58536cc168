#include "hal/keyd/tpm_error.h"

#include <array>
#include <cstdio>
#include <string>

#include <tss2/tss2_common.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

namespace hal::keyd {
namespace {

// Layers whose codes are the TPM's own (TPM 2.0 Part 2, 6.6): the TPM, and a resource manager that passes
// them on.
bool fromTpm(TSS2_RC code) {
    const TSS2_RC layer = code & TSS2_RC_LAYER_MASK;
    return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
}

// Without the number of the handle, session or parameter that format-one codes carry.
TSS2_RC tpmCode(TSS2_RC code) {
    constexpr TSS2_RC formatOneCode = TPM2_RC_FMT1 | 0x3f;
    const TSS2_RC bare = code & ~TSS2_RC_LAYER_MASK;
    return bare & TPM2_RC_FMT1 ? bare & formatOneCode : bare;
}

bool isLost(TSS2_RC code) {
    if (fromTpm(code)) {
        const TSS2_RC bare = tpmCode(code);
        return bare == TPM2_RC_INITIALIZE || (bare >= TPM2_RC_REFERENCE_H0 && bare <= TPM2_RC_REFERENCE_S6);
    }
    const TSS2_RC base = code & ~TSS2_RC_LAYER_MASK;
    return (code & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER || base == TSS2_BASE_RC_IO_ERROR ||
           base == TSS2_BASE_RC_NO_CONNECTION || base == TSS2_BASE_RC_BAD_SEQUENCE;
}

struct Meaning {
    TSS2_RC code;
    ErrorKind kind;
    const char* word;
    const char* sentence;
};

constexpr const char* fullSlots =
    "the TPM has no free slot: flush what other programs left in it "
    "(tpm2_flushcontext -t), or put a resource manager in front";
constexpr const char* wrongAuth =
    "the TPM refused the authorization: keyd expects a storage key, and an owner "
    "hierarchy, without a password";
constexpr const char* wrongState =
    "the platform's state (PCRs) is not the one that this object is bound to: "
    "firmware or boot order changed";
constexpr const char* unable = "this TPM cannot do that algorithm: ask for another, or for a file key";
constexpr const char* otherTpm =
    "the object was made by another TPM, or this one was cleared since: "
    "reissue with a new key";

constexpr std::array meanings{
    Meaning{TPM2_RC_LOCKOUT, ErrorKind::transient, "tpm-locked-out",
            "the TPM is locked out after too many wrong passwords: wait, or reset it with "
            "tpm2_dictionarylockout -c"},
    Meaning{TPM2_RC_OBJECT_MEMORY, ErrorKind::transient, "tpm-full", fullSlots},
    Meaning{TPM2_RC_SESSION_MEMORY, ErrorKind::transient, "tpm-full", fullSlots},
    Meaning{TPM2_RC_MEMORY, ErrorKind::transient, "tpm-full", fullSlots},
    Meaning{TPM2_RC_OBJECT_HANDLES, ErrorKind::transient, "tpm-full", fullSlots},
    Meaning{TPM2_RC_SESSION_HANDLES, ErrorKind::transient, "tpm-full", fullSlots},
    Meaning{TPM2_RC_NV_SPACE, ErrorKind::misconfigured, "tpm-full",
            "the TPM's permanent memory is full: remove persistent objects that nobody needs "
            "(tpm2_evictcontrol)"},
    Meaning{TPM2_RC_AUTH_FAIL, ErrorKind::misconfigured, "tpm-failed", wrongAuth},
    Meaning{TPM2_RC_BAD_AUTH, ErrorKind::misconfigured, "tpm-failed", wrongAuth},
    Meaning{TPM2_RC_POLICY_FAIL, ErrorKind::misconfigured, "tpm-failed", wrongState},
    Meaning{TPM2_RC_PCR_CHANGED, ErrorKind::misconfigured, "tpm-failed", wrongState},
    Meaning{TPM2_RC_INTEGRITY, ErrorKind::misconfigured, "tpm-failed", otherTpm},
    Meaning{TPM2_RC_BINDING, ErrorKind::misconfigured, "tpm-failed", otherTpm},
    Meaning{TPM2_RC_CURVE, ErrorKind::rejected, "not-supported", unable},
    Meaning{TPM2_RC_KEY_SIZE, ErrorKind::rejected, "not-supported", unable},
    Meaning{TPM2_RC_VALUE, ErrorKind::rejected, "not-supported", unable},
    Meaning{TPM2_RC_ASYMMETRIC, ErrorKind::rejected, "not-supported", unable},
    Meaning{TPM2_RC_HASH, ErrorKind::rejected, "not-supported", unable},
    Meaning{TPM2_RC_HIERARCHY, ErrorKind::misconfigured, "tpm-failed",
            "the TPM's owner hierarchy is switched off: enable it in the firmware's set-up"},
    Meaning{TPM2_RC_FAILURE, ErrorKind::misconfigured, "tpm-failed",
            "the TPM is in failure mode: power the box off and on; if that does not help the chip is broken"},
    Meaning{TPM2_RC_RETRY, ErrorKind::transient, "tpm-failed", "the TPM is busy: try again later"},
    Meaning{TPM2_RC_YIELDED, ErrorKind::transient, "tpm-failed", "the TPM is busy: try again later"},
    Meaning{TPM2_RC_TESTING, ErrorKind::transient, "tpm-failed",
            "the TPM is testing itself: try again later"},
};

constexpr Meaning gone{0, ErrorKind::transient, "tpm-gone",
                       "the TPM, or its resource manager, does not answer: see that it runs"};
constexpr Meaning unknown{0, ErrorKind::misconfigured, "tpm-failed", "the TPM refused the command"};

const Meaning& meaningOf(TSS2_RC code) {
    if (isLost(code)) return gone;
    if (fromTpm(code))
        for (const Meaning& meaning : meanings)
            if (meaning.code == tpmCode(code)) return meaning;
    return unknown;
}

std::string sentenceFor(TSS2_RC code, std::string_view call) {
    std::array<char, 16> number{};
    std::snprintf(number.data(), number.size(), "0x%X", code);
    return std::string(meaningOf(code).sentence) + " (" + std::string(call) + ": " + number.data() + ", " +
           Tss2_RC_Decode(code) + ")";
}

}  // namespace

TpmError::TpmError(std::uint32_t responseCode, std::string_view call)
    : Error(meaningOf(responseCode).kind, meaningOf(responseCode).word, sentenceFor(responseCode, call)),
      responseCode_(responseCode),
      lost_(isLost(responseCode) || absentHandle()) {}

bool TpmError::outOfSlots() const noexcept {
    return fromTpm(responseCode_) && (tpmCode(responseCode_) == TPM2_RC_OBJECT_MEMORY ||
                                      tpmCode(responseCode_) == TPM2_RC_OBJECT_HANDLES);
}

bool TpmError::absentHandle() const noexcept {
    return fromTpm(responseCode_) && tpmCode(responseCode_) == TPM2_RC_HANDLE;
}

bool TpmError::wrongAuthorization() const noexcept {
    return fromTpm(responseCode_) &&
           (tpmCode(responseCode_) == TPM2_RC_AUTH_FAIL || tpmCode(responseCode_) == TPM2_RC_BAD_AUTH);
}

void checkTpm(std::uint32_t responseCode, std::string_view call) {
    if (responseCode != TSS2_RC_SUCCESS) throw TpmError(responseCode, call);
}

}  // namespace hal::keyd
