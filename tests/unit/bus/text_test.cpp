#include "certmgr/bus/text.h"

#include <gtest/gtest.h>

#include "certmgr/bus/errors.h"
#include "certmgr/bus/names.h"

namespace certmgr::bus {
namespace {

using namespace std::string_literals;

constexpr char replaced[] = "\xEF\xBF\xBD";

TEST(ErrorName, IsTheCodeInCamelCase) {
    EXPECT_EQ(errorName(hal::ErrorKind::rejected, "bad-name"), "org.certmgr1.Error.BadName");
    EXPECT_EQ(errorName(hal::ErrorKind::rejected, "pem"), "org.certmgr1.Error.Pem");
    EXPECT_EQ(errorName(hal::ErrorKind::rejected, "badNonce"), "org.certmgr1.Error.BadNonce");
    EXPECT_EQ(errorName(hal::ErrorKind::rejected, "urn:ietf:x-500"), "org.certmgr1.Error.UrnIetfX500");
    EXPECT_EQ(errorName(hal::ErrorKind::rejected, "404-found"), "org.certmgr1.Error.E404Found");
    EXPECT_EQ(errorName(hal::ErrorKind::rejected, "--"), "org.certmgr1.Error.Failed");
}

TEST(ErrorName, TellsRefusalsFromFailures) {
    EXPECT_EQ(errorName(hal::ErrorKind::transient, "database-busy"), "org.certmgr1.Failure.DatabaseBusy");
    EXPECT_EQ(errorName(hal::ErrorKind::internal, ""), "org.certmgr1.Failure.Failed");
}

TEST(ValidText, KeepsUtf8) {
    for (const std::string& text :
         {""s, "plain"s, "é 中 \xF0\x9F\x94\x92"s, "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"s})
        EXPECT_EQ(validText(text), text);
}

TEST(ValidText, ReplacesWhatIsNotAllowed) {
    EXPECT_EQ(validText("a\0b"s), "a"s + replaced + "b");
    EXPECT_EQ(validText("caf\xE9"), "caf"s + replaced);                // Latin-1
    EXPECT_EQ(validText("\x80x"), replaced + "x"s);                    // continuation without a lead
    EXPECT_EQ(validText("\xE4\xB8"), replaced + ""s + replaced);       // cut off
    EXPECT_EQ(validText("\xC0\x80").find("\xC0"), std::string::npos);  // overlong
    EXPECT_EQ(validText("\xED\xA0\x80").substr(0, 3), replaced);       // surrogate
    EXPECT_EQ(validText("\xF4\x90\x80\x80").substr(0, 3), replaced);   // above U+10FFFF
}

TEST(Path, EncodesAndDecodes) {
    const std::string path = pathOf(certificatePath, "_.gw.example+0a");
    EXPECT_EQ(path, "/org/certmgr1/certificate/_5f_2egw_2eexample_2b0a");
    EXPECT_EQ(idOf(certificatePath, path), "_.gw.example+0a");
    EXPECT_EQ(idOf(servicePath, path), "");
    EXPECT_EQ(idOf(certificatePath, certificatePath), "");
}

}  // namespace
}  // namespace certmgr::bus
