// PEM and PKCS#12 alone: what comes out must go in again. tests/data/x509 is the corpus.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certmgr/crypto/upload_parts.h"

namespace {

using namespace certmgr;

void readAsUpload(std::string_view text) {
    try {
        const crypto::UploadParts parts = crypto::readUpload({{text}, "fixture"});
        if (parts.certificates.empty() || parts.certificates.size() > 20 || parts.keys.size() > 10)
            std::abort();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::rejected) throw;
    }
}

void readAsChain(std::string_view text) {
    try {
        const std::string pem = crypto::toPem(crypto::parseChainPem(text));
        if (crypto::toPem(crypto::parseChainPem(pem)) != pem) std::abort();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::rejected) throw;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    readAsUpload(text);
    readAsChain(text);
    return 0;
}
