#include "certmgr/crypto/distinguished_name.h"

#include <algorithm>
#include <array>

#include "certmgr/core/ascii.h"
#include "certmgr/core/error.h"
#include "certmgr/crypto/openssl.h"

namespace certmgr::crypto {
namespace {

struct Known {
    std::string_view type;
    std::size_t most;  // RFC 5280 appendix A.1, upper bounds
};
constexpr std::array<Known, 6> attributeTypes = {
    {{"C", 2}, {"ST", 128}, {"L", 128}, {"O", 64}, {"OU", 64}, {"CN", 64}}};

[[noreturn]] void refuse(const std::string& found) {
    reject("bad-subject", "the subject " + found +
                              "; expected one like \"O=Example,CN=Example CA\", of C, ST, L, O, OU and CN");
}

// RFC 4514 2.4: a backslash before a special character stands for that character.
std::vector<std::string> splitAtCommas(std::string_view text) {
    std::vector<std::string> parts(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (static_cast<unsigned char>(text[i]) < ' ' || text[i] == 0x7f)
            refuse("contains a control character");
        if (text[i] == ',') {
            parts.emplace_back();
            continue;
        }
        if (text[i] == '\\' && ++i == text.size()) refuse("ends with a backslash");
        parts.back() += text[i];
    }
    return parts;
}

std::size_t rankOf(const NameAttribute& attribute) {
    return static_cast<std::size_t>(
        std::find_if(attributeTypes.begin(), attributeTypes.end(),
                     [&](const Known& one) { return one.type == attribute.type; }) -
        attributeTypes.begin());
}

NameAttribute parseAttribute(const std::string& part) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) refuse("has a part without \"=\"");
    const std::string_view all = part;
    NameAttribute attribute{std::string(trimmed(all.substr(0, equals), " ")),
                            std::string(trimmed(all.substr(equals + 1), " "))};
    for (char& c : attribute.type) c = raised(c);
    const std::size_t rank = rankOf(attribute);
    if (rank == attributeTypes.size()) refuse("has an attribute that is not known here");
    if (attribute.value.empty()) refuse("has an empty " + attribute.type);
    if (attribute.type == "C" && attribute.value.size() != 2) refuse("has a C that is not of two letters");
    return attribute;
}

}  // namespace

DistinguishedName parseDistinguishedName(std::string_view text) {
    DistinguishedName name;
    for (const std::string& part : splitAtCommas(text)) name.push_back(parseAttribute(part));
    std::stable_sort(name.begin(), name.end(), [](const NameAttribute& one, const NameAttribute& other) {
        return rankOf(one) < rankOf(other);
    });
    if (name.back().type != "CN") refuse("has no CN");
    nameOf(name);
    return name;
}

DistinguishedName subjectOf(const X509_NAME& name) {
    DistinguishedName result;
    for (int i = 0; i < X509_NAME_entry_count(&name); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(&name, i);
        const char* type = OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
        unsigned char* utf8 = nullptr;
        const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
        if (size < 0) throwOpenSsl("ASN1_STRING_to_UTF8");
        NameAttribute attribute{type ? type : "",
                                {reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size)}};
        OPENSSL_free(utf8);
        if (rankOf(attribute) < attributeTypes.size()) result.push_back(std::move(attribute));
    }
    return result;
}

hal::X509NamePtr nameOf(const DistinguishedName& name) {
    hal::X509NamePtr result(check(X509_NAME_new(), "X509_NAME_new"));
    for (const NameAttribute& attribute : name) {
        if (X509_NAME_add_entry_by_txt(result.get(), attribute.type.c_str(), MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(attribute.value.data()),
                                       static_cast<int>(attribute.value.size()), -1, 0) == 1)
            continue;
        const std::size_t rank = rankOf(attribute);
        throw Error(ErrorKind::misconfigured, "bad-subject",
                    "\"" + attribute.value + "\" cannot stand as " + attribute.type +
                        " in a subject: expected at most " +
                        std::to_string(rank < attributeTypes.size() ? attributeTypes.at(rank).most : 64) +
                        " characters of UTF-8 (" + takeReason() + ")");
    }
    return result;
}

}  // namespace certmgr::crypto
