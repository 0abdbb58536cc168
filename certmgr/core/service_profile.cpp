#include "certmgr/core/service_profile.h"

#include <algorithm>
#include <array>
#include <utility>

namespace certmgr {
namespace {

template <class Value, std::size_t count>
using Words = std::array<std::pair<Value, std::string_view>, count>;

constexpr Words<ProbeKind, 7> probeKinds{{{ProbeKind::https, "https"},
                                          {ProbeKind::tls, "tls"},
                                          {ProbeKind::smtp, "smtp"},
                                          {ProbeKind::imap, "imap"},
                                          {ProbeKind::pop3, "pop3"},
                                          {ProbeKind::httpsProxy, "https-proxy"},
                                          {ProbeKind::command, "command"}}};
constexpr Words<KeyForm, 2> keyForms{{{KeyForm::reference, "reference"}, {KeyForm::file, "file"}}};
constexpr Words<FileFormat, 3> fileFormats{
    {{FileFormat::split, "split"}, {FileFormat::combined, "combined"}, {FileFormat::keyFirst, "key-first"}}};

template <class Table, class Value>
std::string_view wordFor(const Table& table, Value value) noexcept {
    const auto found = std::ranges::find(table, value, &Table::value_type::first);
    return found == table.end() ? std::string_view() : found->second;
}

template <class Value, std::size_t count>
std::optional<Value> valueOf(const Words<Value, count>& table, std::string_view word) noexcept {
    const auto found = std::ranges::find(table, word, &Words<Value, count>::value_type::second);
    return found == table.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace

std::string_view toString(ProbeKind kind) noexcept {
    return wordFor(probeKinds, kind);
}

std::optional<ProbeKind> probeKindFrom(std::string_view text) noexcept {
    return valueOf(probeKinds, text);
}

std::string describe(const ProbeTarget& target) {
    std::string text(toString(target.kind));
    if (target.kind == ProbeKind::command) return text + " " + target.command.front();
    const bool six = target.address.find(':') != std::string::npos;
    text += " " + (six ? "[" + target.address + "]" : target.address) + ":" + std::to_string(target.port);
    return target.site.empty() ? text : text + " to " + target.site;
}

std::string_view toString(KeyForm form) noexcept {
    return wordFor(keyForms, form);
}

std::optional<KeyForm> keyFormFrom(std::string_view text) noexcept {
    return valueOf(keyForms, text);
}

std::optional<FileFormat> fileFormatFrom(std::string_view text) noexcept {
    return valueOf(fileFormats, text);
}

std::chrono::milliseconds proofTimeout(const ServiceProfile& service) {
    std::chrono::milliseconds longest{0};
    for (const ProbeTarget& probe : service.probes) longest = std::max(longest, probe.timeout);
    return longest;
}

}  // namespace certmgr
