// RFC 7807 as RFC 8555 6.7 uses it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certmgr::acme::wire {

struct Problem {
    struct Subproblem {
        std::string type;
        std::string detail;
        std::string identifier;  // the name it is about; may be empty
    };
    std::string type;  // "urn:ietf:params:acme:error:rateLimited"
    std::string detail;
    std::string instance;  // where people can read more; may be empty
    std::vector<Subproblem> subproblems;
    // Where people end a pause of their names (Let's Encrypt); empty: nowhere. It is left out of the words,
    // as is one that is no URL of ours (isHttpsUrl): it carries what lets anybody do so.
    std::string unpauseUrl;

    bool is(std::string_view acmeError) const;  // "badNonce" (RFC 8555 6.7)
};

// Takes whatever is there: a document that breaks the RFC is still the best explanation there is.
Problem parseProblem(std::string_view document);

// The same document for a log, with "URL" in the place of each of them. What is no JSON and may hold one:
// empty.
std::string withoutUnpauseUrls(const std::string& document);

// Type, detail and what each identifier was refused for, as one sentence.
std::string sentence(const Problem& problem);

// RFC 8555 6.7.1: several problems under one of type "compound".
std::string compoundProblem(const std::vector<std::string>& documents);

}  // namespace certmgr::acme::wire
