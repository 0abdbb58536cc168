// The "issue-value" of RFC 8659 4.2, which CAA records and the records of dns-persist-01 share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certmgr {

struct IssueValue {
    struct Parameter {
        std::string tag;  // in lower case
        std::string value;
    };
    std::string issuer;                 // as it is written, without the blanks around it; empty: nobody
    std::vector<Parameter> parameters;  // those before the one that is outside the grammar
    std::string complaint;              // what that is, as a sentence for people; empty: all is within it
};

IssueValue parseIssueValue(std::string_view text);

// How a CA is called by records: "represented in A-label format [...] All characters MUST be lowercase [...]
// MUST NOT have a trailing dot" (draft-ietf-acme-dns-persist-01 3.1; RFC 8555 7.1.1: a "lowercase hostname").
bool isIssuerName(std::string_view name);

// The parts between separators, each without blanks (RFC 8659: "WSP") at its ends.
std::vector<std::string_view> split(std::string_view text, char separator);

// Of a record that somebody else wrote: cut, and with nothing in it that could rule a terminal.
std::string shownValue(std::string_view text);

}  // namespace certmgr
