#include "hal/keyd/key_export.h"

#include "hal/error.h"
#include "hal/keyd/key_file.h"
#include "hal/keyd/software_key.h"
#include "hal/keyd/wrapping.h"

namespace hal::keyd {
namespace {

Error badWrappedKey(const KeyId& id, const std::string& found) {
    return Error(ErrorKind::rejected, "bad-wrapped-key",
                 "key " + id.text() + " of the backup cannot be taken: " + found);
}

}  // namespace

Bytes exportKeyFile(const KeyFile& file, std::span<const std::uint8_t> wrappingKey) {
    if (file.info.backend != KeyBackend::file)
        throw Error(ErrorKind::rejected, "not-exportable",
                    "key " + file.info.id.text() + " is bound to the TPM of this box (" +
                        std::string(toString(file.info.backend)) +
                        "): it cannot go into a backup, a new one is made where that is restored");
    const SecretBytes wrapped = wrap(wrappingKey, file.info.id, encodeKeyFile(file));
    return Bytes(wrapped.begin(), wrapped.end());
}

KeyFile importKeyFile(const KeyId& id, std::span<const std::uint8_t> wrappingKey,
                      std::span<const std::uint8_t> wrapped) {
    const std::optional<SecretBytes> content = unwrap(wrappingKey, id, wrapped);
    if (!content) throw badWrappedKey(id, "it was damaged, is another one, or was wrapped otherwise");
    try {
        KeyFile file = decodeKeyFile(*content);
        const Pkey key = keyFromPrivateDer(file.stored);
        const bool fits = file.info.id == id && file.info.backend == KeyBackend::file &&
                          publicDer(key) == file.info.publicKey && algorithmOf(key) == file.info.algorithm;
        if (!fits) throw badWrappedKey(id, "what is said of it and the key itself do not belong together");
        checkConsistency(key);
        return file;
    } catch (const Error& error) {
        if (error.code() == "bad-wrapped-key") throw;
        throw badWrappedKey(id, error.what());
    }
}

}  // namespace hal::keyd
