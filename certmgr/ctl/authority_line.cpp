#include "certmgr/ctl/authority_line.h"

namespace certmgr::ctl {
namespace {

HolderOptions holderOf(const AuthorityArguments& a) {
    HolderOptions holder = a.holder;
    holder.purpose = a.server ? "server" : "client";
    for (const auto& [prefix, names] :
         {std::pair("dns:", &a.dns), {"ip:", &a.ip}, {"email:", &a.email}, {"uri:", &a.uri}})
        for (const std::string& name : *names) holder.names.push_back(prefix + name);
    return holder;
}

void addHolderOptions(CLI::App& command, AuthorityArguments& a) {
    CLI::Option* client = command.add_flag("--client", a.client, "For a client: clientAuth (the default)");
    command.add_flag("--server", a.server, "For a server: serverAuth")->excludes(client);
    command.add_option("--dns", a.dns, "DNS name, any number of times");
    command.add_option("--ip", a.ip, "IP address, any number of times");
    command.add_option("--email", a.email, "E-mail address, any number of times");
    command.add_option("--uri", a.uri, "URI, any number of times");
    command.add_option("--days", a.holder.days, "Lifetime in days; default: 365");
}

void addIssuing(CLI::App& authority, AuthorityArguments& a, const AddCommand& add) {
    CLI::App* sign = add(authority, "sign", "Sign a certificate request (PKCS#10)",
                         [&a](auto& c, auto& t) { signRequest(c, t, holderOf(a), a.file, a.output); });
    sign->add_option("CSR", a.file, "File with the request, PEM or DER, or - for standard input")->required();
    addHolderOptions(*sign, a);
    sign->add_option("--cn", a.holder.commonName, "Common name in the place of the request's");
    sign->add_option("-o,--output", a.output, "New file for certificate and chain; default: standard output");

    CLI::App* issue =
        add(authority, "issue", "Issue a certificate with a key that is made here, and not kept",
            [&a](auto& c, auto& t) {
                const auto fd = a.passphraseFd < 0 ? std::nullopt : std::optional(a.passphraseFd);
                issueBundle(c, t, holderOf(a), fd, a.output);
            });
    issue->add_option("NAME", a.holder.commonName, "Common name")->required();
    addHolderOptions(*issue, a);
    issue->add_option("--key-algorithm", a.holder.keyAlgorithm,
                      "ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096");
    issue->add_option("--format", a.holder.format, "pkcs12 (the default), or pem, which is not encrypted");
    issue->add_option("--passphrase-fd", a.passphraseFd, "Descriptor to read the passphrase of PKCS#12 from");
    issue->add_option("-o,--output", a.output, "New file, of mode 0600")->required();

    add(authority, "list", "List what was issued to others", [](auto& c, auto& t) { listIssued(c, t); });
    CLI::App* revoke = add(authority, "revoke", "Revoke a certificate by its serial number",
                           [&a](auto& c, auto& t) { revokeIssued(c, t, a.serial, a.reason); });
    revoke->add_option("SERIAL", a.serial, "As authority list shows it")->required();
    revoke->add_option("--reason", a.reason,
                       "unspecified, key-compromise, affiliation-changed, superseded, cessation-of-operation "
                       "or privilege-withdrawn");
}

void addChanges(CLI::App& authority, AuthorityArguments& a, const AddCommand& add) {
    CLI::App* generate = add(authority, "generate", "Make a new root from a distinguished name",
                             [&a](auto& c, auto& t) { generateAuthority(c, t, a.subject, a.days); });
    generate->add_option("--dn", a.subject, "\"O=Example,CN=Example CA\"")->required();
    generate->add_option("--days", a.days, "Lifetime in days; default: as in certmgr.toml(5)");
    add(authority, "import", "Take a CA with its key (PEM)",
        [&a](auto& c, auto& t) { importAuthority(c, t, a.file); })
        ->add_option("FILE", a.file, "File, or - for standard input")
        ->required();
    add(authority, "csr", "Make a request for an issuing CA below another root", [&a](auto& c, auto& t) {
        requestAuthority(c, t, a.output);
    })->add_option("-o,--output", a.output, "New file; default: standard output");
    add(authority, "install", "Take the certificate that was requested, with the CAs above it (PEM)",
        [&a](auto& c, auto& t) { installAuthority(c, t, a.file); })
        ->add_option("CHAIN", a.file, "File, or - for standard input")
        ->required();
    add(authority, "reissue", "Make a new root, and sign all local certificates anew",
        [](auto& c, auto& t) { reissueAuthority(c, t); });
}

}  // namespace

void addAuthorityCommands(CLI::App& authority, AuthorityArguments& arguments, const AddCommand& add) {
    addIssuing(authority, arguments, add);
    addChanges(authority, arguments, add);
    add(authority, "trust", "Download all roots that are trusted now", [&a = arguments](auto& c, auto& t) {
        downloadPublished(c, t, Published::trustBundle, a.output);
    })->add_option("-o,--output", arguments.output, "File to write; default: standard output");
    add(authority, "crl", "Download the revocation lists", [&a = arguments](auto& c, auto& t) {
        downloadPublished(c, t, Published::revocationLists, a.output);
    })->add_option("-o,--output", arguments.output, "File to write; default: standard output");
}

}  // namespace certmgr::ctl
