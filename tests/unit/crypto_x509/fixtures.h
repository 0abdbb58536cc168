// What other tools made (tests/data/x509/make.sh), and what every test here asks again and again.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "certmgr/crypto/x509.h"
#include "tests/support/child_process.h"

namespace fixtures {

using namespace certmgr;

inline const TimePoint now = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);

inline std::string text(const std::string& name) {
    return testing_support::readFile(std::string(CERTMGR_TEST_DATA) + "/x509/" + name);
}

inline crypto::X509Ptr certificate(const std::string& name) {
    return std::move(crypto::parseChainPem(text(name + ".pem")).front());
}

inline std::vector<crypto::X509Ptr> certificates(const std::vector<std::string>& names) {
    std::vector<crypto::X509Ptr> all;
    for (const std::string& name : names) all.push_back(certificate(name));
    return all;
}

inline Identifier dns(const std::string& value) {
    return {Identifier::Type::dns, value};
}
inline Identifier ip(const std::string& value) {
    return {Identifier::Type::ip, value};
}

// The code of the Error that `call` throws; "" where it throws none.
template <class Call>
std::string codeOf(Call call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::rejected) << error.what();
        EXPECT_GT(std::string(error.what()).size(), 20U) << "no sentence: " << error.what();
        return error.code();
    }
    return {};
}

template <class Call>
std::string messageOf(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace fixtures
