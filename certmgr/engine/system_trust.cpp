#include "certmgr/engine/system_trust.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certmgr/crypto/x509.h"
#include "hal/handle.h"

namespace certmgr::engine {
namespace {

constexpr std::string_view blockBegin = "-----BEGIN ";
constexpr std::string_view blockEnd = "-----END ";

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& sentence) {
    throw Error(ErrorKind::misconfigured, "bad-trust-store",
                "the trust store of the box, " + file.string() + ", " + sentence);
}

[[noreturn]] void refuseUnreadable(const std::filesystem::path& file) {
    refuse(file, "cannot be read (" + std::generic_category().message(errno) +
                     "); see system_file under [trust] in certmgr.toml(5)");
}

// One byte more than the limit is asked for, so that a file that grows meanwhile is noticed too.
std::string contentOf(const std::filesystem::path& file) {
    // O_NONBLOCK: a pipe in its place must not hold the worker.
    const hal::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) refuseUnreadable(file);
    if (!S_ISREG(status.st_mode)) refuse(file, "is not a regular file; expected certificates, PEM");
    std::string content(largestSystemTrust + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const ssize_t got = ::read(fd.get(), content.data() + size, content.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) refuseUnreadable(file);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > largestSystemTrust) refuse(file, "is too large: expected at most 2 MiB");
    content.resize(size);
    return content;
}

// The next block, cut off from `rest`; empty where none follows. An end without a beginning counts as one:
// the certificate before it would else be lost without a word.
std::string_view takeBlock(std::string_view& rest) {
    const std::size_t begin = std::min(rest.find(blockBegin), rest.find(blockEnd));
    if (begin == std::string_view::npos) return {};
    const std::size_t end = rest.find(blockEnd, begin);
    const std::size_t line = end == std::string_view::npos ? end : rest.find('\n', end);
    const std::string_view block = rest.substr(begin, line == std::string_view::npos ? line : line - begin);
    rest.remove_prefix(line == std::string_view::npos ? rest.size() : line);
    return block;
}

CertificateSummary summaryOf(const std::filesystem::path& file, std::string_view block, std::size_t number) {
    try {
        return crypto::summarizeLeafPem(block);
    } catch (const Error& error) {
        refuse(file, "is damaged at block " + std::to_string(number) + ": " + error.what());
    }
}

}  // namespace

std::vector<TrustAnchor> readSystemTrust(const std::filesystem::path& file, const std::string& ownPem,
                                         std::optional<TimePoint> now) {
    const std::string content = contentOf(file);
    const std::vector<std::string> own = crypto::chainSha256(ownPem);
    std::vector<TrustAnchor> anchors;
    std::string_view rest = content;
    for (std::string_view block = takeBlock(rest); !block.empty(); block = takeBlock(rest)) {
        if (anchors.size() == mostTrustAnchors)
            refuse(file, "has too many certificates: expected at most " + std::to_string(mostTrustAnchors));
        TrustAnchor anchor;
        anchor.summary = summaryOf(file, block, anchors.size() + 1);
        anchor.own = std::ranges::find(own, anchor.summary.sha256) != own.end();
        anchor.expired = now && anchor.summary.notAfter < *now;
        anchors.push_back(std::move(anchor));
    }
    if (anchors.empty() && content.find_first_not_of(" \t\r\n") != std::string::npos)
        refuse(file, "has no certificate in it; expected PEM");
    return anchors;
}

}  // namespace certmgr::engine
