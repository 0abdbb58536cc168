// The PEM text of a private key as certmgr-keyd takes it in: what is read must come back from its own file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hal/keyd/secret.h"
#include "hal/keyd/software_key.h"

using namespace hal;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const Pkey key = keyd::keyFromPem({reinterpret_cast<const char*>(data), size});
        keyd::algorithmOf(key);
        const keyd::SecretBytes stored = keyd::privateDer(key);
        if (EVP_PKEY_eq(keyd::keyFromPrivateDer(stored).get(), key.get()) != 1) std::abort();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::rejected) throw;
    }
    return 0;
}
