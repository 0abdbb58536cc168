// RFC 8555 8.3, the part that is the client's.
#pragma once

#include <string>

namespace certmgr::acme {

// Makes key authorizations reachable at http://NAME/.well-known/acme-challenge/TOKEN.
// Implementation: WebrootSolver (a directory that the responder or the box's own proxy serves); the tests
// have others.
class Http01Solver {
  public:
    virtual ~Http01Solver() = default;
    virtual void present(const std::string& token,
                         const std::string& keyAuthorization) = 0;  // readable when it returns
    virtual void remove(const std::string& token) noexcept = 0;     // absent: nothing happens
    // Whether somebody on this box listens where the CA will ask; true where that is not known.
    virtual bool hasServer() const = 0;
};

}  // namespace certmgr::acme
