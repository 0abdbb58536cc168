// Certificates for tests that are about something else than certificates: root, intermediate, leaf, with
// plain keys.
#pragma once

#include <string>

#include "certmgr/deploy/generation_store.h"

namespace testing_support {

class TestIssuer {
  public:
    TestIssuer();
    // A fresh key and its leaf below the intermediate; key.pem becomes the key itself.
    certmgr::deploy::Item issue(const std::string& name, std::int64_t generation) const;

  private:
    hal::Pkey rootKey_;
    hal::Pkey key_;
    hal::X509Ptr root_;
    hal::X509Ptr intermediate_;
};

std::string fingerprint(const std::string& certificatePem);  // of the first one: SHA-256, lower-case hex
bool pairMatches(const std::string& certificatePem, const std::string& keyPem);

}  // namespace testing_support
