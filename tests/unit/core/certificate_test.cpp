#include "certmgr/core/certificate.h"

#include <gtest/gtest.h>

#include "certmgr/core/authority_record.h"
#include "certmgr/core/decision.h"

namespace certmgr {
namespace {

CertificateId idOf(const std::vector<std::string>& names) {
    return certificateIdFor(parseIdentifiers(names));
}

TEST(CertificateId, isTheNameAndDependsOnTheSetOnly) {
    EXPECT_EQ(idOf({"GW.example"}), "gw.example");
    EXPECT_EQ(idOf({"*.example.org"}), "_.example.org");
    EXPECT_EQ(idOf({"2001:db8::1"}), "2001:db8::1");
    EXPECT_EQ(idOf({"b.example", "a.example"}), idOf({"a.example", "B.example", "b.example"}));
    // printf 'a.example\nb.example\n' | sha256sum
    EXPECT_EQ(idOf({"b.example", "a.example"}), "a.example+8fb9a6eb");
    EXPECT_NE(idOf({"a.example", "b.example"}), idOf({"a.example", "c.example"}));
}

TEST(CertificateId, fitsIntoADirectoryEntry) {
    const std::string label(63, 'a');
    const std::string start = label + "." + label + "." + label + ".";
    EXPECT_LE(idOf({start + std::string(61, 'b')}).size(), 255u);
    EXPECT_LE(idOf({start + std::string(61, 'b'), "z.example"}).size(), 255u);
    EXPECT_NE(idOf({start + std::string(61, 'b')}), idOf({start + std::string(61, 'c')}));
}

TEST(Words, goBothWays) {
    for (const Source source : {Source::local, Source::acme, Source::uploaded})
        EXPECT_EQ(sourceFrom(toString(source)), source);
    for (const AuthorityRole role : {AuthorityRole::root, AuthorityRole::issuing})
        EXPECT_EQ(authorityRoleFrom(toString(role)), role);
    EXPECT_FALSE(sourceFrom("LOCAL"));
    EXPECT_FALSE(authorityRoleFrom(""));
    EXPECT_EQ(toString(Action::orderAcme), "order-acme");
}

}  // namespace
}  // namespace certmgr
