// The whole admission check: files, passphrase, chain, key. The input is one file, or several with "--file--"
// lines between them; tests/data/x509 is the corpus.
#include "certmgr/crypto/upload.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certmgr/crypto/private_pem.h"

namespace {

using namespace certmgr;

constexpr std::string_view separator = "\n--file--\n";

void inspect(const crypto::UploadFiles& files) {
    const TimePoint now = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);
    const crypto::UploadReport report = crypto::inspectUpload(files, {}, now);
    if (!report.acceptable()) return;
    // What the engine takes for granted of an upload that was accepted.
    const bool whole = report.key && report.leaf && !report.leaf->names.empty() && !report.chain.empty();
    if (!whole || crypto::PrivatePem(*report.key).view().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    crypto::UploadFiles files;
    for (std::size_t end = 0; end != std::string_view::npos; rest.remove_prefix(end + separator.size())) {
        end = rest.find(separator);
        files.contents.push_back(rest.substr(0, end));
        if (end == std::string_view::npos) break;
    }
    inspect(files);
    files.passphrase = "fixture";
    inspect(files);
    return 0;
}
