// Public areas: what keyd asks the TPM to make, and what the TPM says it made, as DER. Internal to tpm*.cpp.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "hal/key_store.h"

namespace hal::keyd {

TPM2B_PUBLIC storageKeyTemplate();  // TCG EK Credential Profile / Provisioning Guidance: the ECC SRK
TPM2B_PUBLIC signingKeyTemplate(KeyAlgorithm algorithm);  // throws "not-supported"
TPM2B_PUBLIC sealedDataTemplate();

// Whether objects can be made under it with its password (whatever that is).
bool isStorageKey(const TPM2B_PUBLIC& area);

Bytes publicKeyDer(const TPM2B_PUBLIC& area);  // SubjectPublicKeyInfo
Bytes ecdsaDer(const TPMS_SIGNATURE_ECDSA& signature);

}  // namespace hal::keyd
