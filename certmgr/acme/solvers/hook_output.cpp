#include "certmgr/acme/solvers/hook_output.h"

#include <algorithm>

namespace certmgr::acme {
namespace {

constexpr std::size_t shortestSecret = 4;
constexpr std::size_t longestText = 1000;

// As hal::runCommand() makes what was written fit for terminals.
std::string asWritten(std::string value) {
    std::ranges::replace_if(
        value, [](char c) { return (c < ' ' && c != '\n' && c != '\t') || c > '~'; }, '?');
    return value;
}

// How much of the front is the end of the secret, whose beginning is lost.
std::size_t endAtFront(std::string_view text, std::string_view secret) {
    if (text.starts_with(secret)) return 0;
    for (std::size_t size = std::min(text.size(), secret.size() - 1); size >= shortestSecret; --size)
        if (text.starts_with(secret.substr(secret.size() - size))) return size;
    return 0;
}

void replaceAll(std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

std::string lastLines(const std::string& text) {
    if (text.size() <= longestText) return text;
    const std::size_t line = text.find('\n', text.size() - longestText);
    return "... " + text.substr(line == std::string::npos ? text.size() - longestText : line + 1);
}

}  // namespace

std::string withoutSecrets(std::string_view output, std::vector<Secret> secrets) {
    std::erase_if(secrets, [](const Secret& each) { return each.value.size() < shortestSecret; });
    for (Secret& secret : secrets) secret.value = asWritten(std::move(secret.value));
    // One may be a part of another.
    std::ranges::sort(secrets, std::ranges::greater(), [](const Secret& each) { return each.value.size(); });
    std::size_t cut = 0;
    for (const Secret& secret : secrets) cut = std::max(cut, endAtFront(output, secret.value));
    std::string text(output.substr(cut));
    for (const Secret& secret : secrets) replaceAll(text, secret.value, "$" + secret.name);
    return lastLines(text);
}

}  // namespace certmgr::acme
