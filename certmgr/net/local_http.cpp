#include "certmgr/net/local_http.h"

#include <charconv>
#include <string_view>

#include "certmgr/core/ascii.h"
#include "certmgr/net/local_connection.h"

namespace certmgr::net {
namespace {

constexpr std::size_t largestLocalAnswer = 4096;

std::string received(LocalConnection& connection) {
    std::string answer;
    while (answer.size() < largestLocalAnswer) {
        const std::string part = connection.receive(largestLocalAnswer - answer.size());
        if (part.empty()) break;
        answer += part;
    }
    return answer;
}

// "Server: nginx\r\n" -> "nginx"; empty: there is none.
std::string headerIn(std::string_view head, std::string_view lowerCaseName) {
    for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n')) {
        head.remove_prefix(at + 1);
        const std::string_view line = head.substr(0, head.find('\n'));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || lowered(std::string(line.substr(0, colon))) != lowerCaseName)
            continue;
        return std::string(trimmed(line.substr(colon + 1), " \t\r"));
    }
    return {};
}

int statusIn(std::string_view head) {
    const std::size_t space = head.find(' ');
    if (!head.starts_with("HTTP/1.") || space == std::string_view::npos || head.size() < space + 4) return 0;
    int status = 0;
    std::from_chars(head.data() + space + 1, head.data() + space + 4, status);
    return status;
}

}  // namespace

LocalAnswer askLocally(const std::string& address, std::uint16_t port, const std::string& host,
                       const std::string& path, std::chrono::milliseconds limit) {
    LocalConnection connection(address, port, limit);
    LocalAnswer answer;
    answer.refused = connection.refused();
    answer.listening = connection.made();
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\nUser-Agent: certmgr/" +
                                CERTMGR_VERSION + "\r\nConnection: close\r\n\r\n";
    if (!answer.listening || !connection.send(request)) return answer;
    const std::string text = received(connection);
    const std::size_t blank = text.find("\r\n\r\n");
    const std::string_view head(text.data(), blank == std::string::npos ? text.size() : blank);
    answer.status = statusIn(head);
    answer.server = headerIn(head, "server");
    answer.location = headerIn(head, "location");
    if (blank != std::string::npos) answer.body = text.substr(blank + 4);
    return answer;
}

}  // namespace certmgr::net
