#include "certmgr/deploy/preamble.h"

namespace certmgr::deploy {
namespace {

constexpr int mostLines = 100;

[[noreturn]] void refuse(const std::string& expected, std::string found) {
    for (char& c : found)
        if (c < ' ' || c > '~') c = '?';
    throw Failure("the service answered \"" + found.substr(0, 200) + "\", expected " + expected);
}

std::string expectLine(Connection& connection, std::string_view start, const std::string& expected) {
    std::string line = connection.receiveLine();
    if (!line.starts_with(start)) refuse(expected, std::move(line));
    return line;
}

// RFC 5321 4.2.1: "-" behind the code says that more lines follow.
void expectReply(Connection& connection, std::string_view code, const std::string& expected) {
    for (int count = 0; count < mostLines; ++count)
        if (expectLine(connection, code, expected).substr(code.size(), 1) != "-") return;
    throw Failure("the service sends more than " + std::to_string(mostLines) + " lines as one reply");
}

// RFC 3207 4.
void smtp(Connection& connection) {
    expectReply(connection, "220", "the greeting of an SMTP server");
    connection.send("EHLO certmgr-probe.invalid\r\n");
    expectReply(connection, "250", "\"250\" to EHLO");
    connection.send("STARTTLS\r\n");
    expectReply(connection, "220", "\"220\" to STARTTLS");
}

// RFC 9051 6.2.1; untagged lines may come at any time.
void imap(Connection& connection) {
    expectLine(connection, "* OK", "the greeting of an IMAP server");
    connection.send("a STARTTLS\r\n");
    for (int count = 0; count < mostLines; ++count) {
        std::string line = connection.receiveLine();
        if (line.starts_with("a OK")) return;
        if (!line.starts_with("* ")) refuse("\"a OK\" to STARTTLS", std::move(line));
    }
    throw Failure("the service does not come to the end of its answer to STARTTLS");
}

// RFC 2595 4.
void pop3(Connection& connection) {
    expectLine(connection, "+OK", "the greeting of a POP3 server");
    connection.send("STLS\r\n");
    expectLine(connection, "+OK", "\"+OK\" to STLS");
}

// RFC 9110 9.3.6; the header of the answer ends with an empty line.
void connectThrough(Connection& connection, const std::string& site) {
    connection.send("CONNECT " + site + " HTTP/1.1\r\nHost: " + site + "\r\n\r\n");
    const std::string status = expectLine(connection, "HTTP/1.", "the answer of an HTTP proxy");
    if (status.substr(8, 5) != " 200 ") refuse("status 200 to CONNECT " + site, status);
    for (int count = 0; count < mostLines; ++count)
        if (connection.receiveLine().empty()) return;
    throw Failure("the proxy sends a header without end");
}

}  // namespace

void speakUpToHandshake(Connection& connection, const ProbeTarget& target) {
    switch (target.kind) {
        case ProbeKind::smtp:
            return smtp(connection);
        case ProbeKind::imap:
            return imap(connection);
        case ProbeKind::pop3:
            return pop3(connection);
        case ProbeKind::httpsProxy:
            return connectThrough(connection, target.site);
        case ProbeKind::https:
        case ProbeKind::tls:
        case ProbeKind::command:
            return;
    }
}

}  // namespace certmgr::deploy
