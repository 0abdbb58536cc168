#include "certmgr/core/service_profile.h"

#include <algorithm>

#include "hal/words.h"

namespace certmgr {
namespace {

constexpr hal::Words<ProbeKind, 7> probeKinds{{{ProbeKind::https, "https"},
                                               {ProbeKind::tls, "tls"},
                                               {ProbeKind::smtp, "smtp"},
                                               {ProbeKind::imap, "imap"},
                                               {ProbeKind::pop3, "pop3"},
                                               {ProbeKind::httpsProxy, "https-proxy"},
                                               {ProbeKind::command, "command"}}};
constexpr hal::Words<KeyForm, 2> keyForms{{{KeyForm::reference, "reference"}, {KeyForm::file, "file"}}};
constexpr hal::Words<FileFormat, 3> fileFormats{
    {{FileFormat::split, "split"}, {FileFormat::combined, "combined"}, {FileFormat::keyFirst, "key-first"}}};

}  // namespace

std::string_view toString(ProbeKind kind) noexcept {
    return hal::wordOf(probeKinds, kind);
}

std::optional<ProbeKind> probeKindFrom(std::string_view text) noexcept {
    return hal::valueNamed(probeKinds, text);
}

std::string describe(const ProbeTarget& target) {
    std::string text(toString(target.kind));
    if (target.kind == ProbeKind::command) return text + " " + target.command.front();
    const bool six = target.address.find(':') != std::string::npos;
    text += " " + (six ? "[" + target.address + "]" : target.address) + ":" + std::to_string(target.port);
    return target.site.empty() ? text : text + " to " + target.site;
}

std::string_view toString(KeyForm form) noexcept {
    return hal::wordOf(keyForms, form);
}

std::optional<KeyForm> keyFormFrom(std::string_view text) noexcept {
    return hal::valueNamed(keyForms, text);
}

std::optional<FileFormat> fileFormatFrom(std::string_view text) noexcept {
    return hal::valueNamed(fileFormats, text);
}

std::string installUnitOf(const std::string& service) {
    return "certmgr-install@" + service + ".service";
}

std::chrono::milliseconds proofTimeout(const ServiceProfile& service) {
    std::chrono::milliseconds longest{0};
    for (const ProbeTarget& probe : service.probes) longest = std::max(longest, probe.timeout);
    return longest;
}

}  // namespace certmgr
