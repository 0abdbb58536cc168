#include "certmgr/ctl/command_line.h"

#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "certmgr/ctl/acme_commands.h"
#include "certmgr/ctl/authority_line.h"
#include "certmgr/ctl/backup_commands.h"
#include "certmgr/ctl/failure.h"

namespace certmgr::ctl {
namespace {

constexpr char examples[] = R"(Examples:
  certmgrctl list
  certmgrctl status
  certmgrctl request gw.example www.gw.example --key-policy tpm
  certmgrctl upload chain-and-key.pem --dry-run
  certmgrctl authority download -o root.pem
  certmgrctl service check web-ui --json

Exit status of all but status, which has those of a monitoring plugin: 0 done, 1 failed, 2 wrong usage, 3 certmgrd or the bus not reachable, 4 access denied, 5 not found,
6 refused. See certmgrctl(1).)";

struct Arguments {
    bool json = false;
    bool noWait = false;
    bool noAcme = false;
    bool der = false;
    bool uploaded = false;
    bool dryRun = false;
    std::string subject;  // certificate, upload or service
    std::string output;
    std::vector<std::string> names;
    RequestOptions request;
    AuthorityArguments authority;
    BackupArguments backup;
    AcmeArguments acme;
    UploadSource upload;
    Action action;
    std::optional<Health> health;  // of a command that a monitor runs
};

std::size_t terminalWidth() {
    winsize size{};
    const bool known =
        ::isatty(STDOUT_FILENO) && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 80;
    return known ? size.ws_col : 100;
}

// Each subcommand takes --json; `action` runs after everything was parsed.
CLI::App* addCommand(CLI::App& parent, Arguments& arguments, const char* name, const char* description,
                     Action action) {
    CLI::App* command = parent.add_subcommand(name, description);
    command->add_flag("--json", arguments.json, "Print JSON, with the property names of org.certmgr1(7)");
    command->callback([&arguments, action = std::move(action)] { arguments.action = action; });
    return command;
}

void addRequest(CLI::App& app, Arguments& a) {
    CLI::App* request = addCommand(app, a, "request", "Ask for a certificate and wait for its end",
                                   [&a](auto& client, auto& terminal) {
                                       a.request.acme = !a.noAcme;
                                       requestCertificate(client, terminal, a.names, a.request, {!a.noWait});
                                   });
    request->add_option("NAME", a.names, "DNS names and IP addresses, all in one certificate")->required();
    request->add_option("--key-policy", a.request.keyPolicy, "tpm, sealed, file or prefer-tpm");
    request->add_option("--key-algorithm", a.request.keyAlgorithm,
                        "ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096");
    CLI::Option* noAcme = request->add_flag("--no-acme", a.noAcme, "Only the box's own CA, never ACME");
    CLI::Option* profile =
        request
            ->add_option(
                "--profile", a.request.acmeProfile,
                "Profile of the ACME CA, \"shortlived\" for one; without it where the CA has none such")
            ->excludes(noAcme);
    request
        ->add_flag("--profile-required", a.request.acmeProfileRequired,
                   "Order nothing where the CA has no such profile")
        ->needs(profile);
    request->add_flag("--no-wait", a.noWait, "Return as soon as the job is started");
}

void addUpload(CLI::App& app, Arguments& a) {
    CLI::App* upload =
        addCommand(app, a, "upload", "Upload a chain with its private key (PEM, DER, PKCS#12)",
                   [&a](auto& client, auto& terminal) { uploadCertificate(client, terminal, a.upload); });
    upload->add_option("FILE", a.upload.files, "Files, or - for standard input")->required();
    CLI::Option* ask = upload->add_flag("--passphrase", a.upload.askPassphrase, "Ask for the passphrase");
    upload
        ->add_option("--passphrase-fd", a.upload.passphraseFd,
                     "Descriptor whose first line is the passphrase, for example 0")
        ->check(CLI::NonNegativeNumber)
        ->excludes(ask);
    upload->add_flag("--dry-run", a.upload.dryRun, "All checks and the report, no change");
}

void addCertificateCommands(CLI::App& app, Arguments& a) {
    addCommand(app, a, "list", "List the certificates, or what was uploaded",
               [&a](auto& client, auto& terminal) {
                   a.uploaded ? listUploads(client, terminal) : listCertificates(client, terminal);
               })
        ->add_flag("--uploaded", a.uploaded, "Every chain that was uploaded, in use or not");
    addCommand(app, a, "show", "Show one certificate with its PEM",
               [&a](auto& client, auto& terminal) { showCertificate(client, terminal, a.subject); })
        ->add_option("CERTIFICATE", a.subject, "Id, or a name that only one certificate has")
        ->required();
    addRequest(app, a);
    addUpload(app, a);
    CLI::App* reissue = addCommand(
        app, a, "reissue", "Issue anew, or try again at once",
        [&a](auto& client, auto& terminal) { reissueCertificate(client, terminal, a.subject, {!a.noWait}); });
    reissue->add_option("CERTIFICATE", a.subject, "Id or unique name")->required();
    reissue->add_flag("--no-wait", a.noWait, "Return as soon as the job is started");
    CLI::App* remove = addCommand(
        app, a, "delete", "Delete a certificate that no service uses, or an upload that serves nothing",
        [&a](auto& client, auto& terminal) {
            if (a.uploaded) return deleteUpload(client, terminal, a.subject);
            if (a.dryRun) return previewDeletion(client, terminal, a.subject);
            deleteCertificate(client, terminal, a.subject);
        });
    remove->add_option("CERTIFICATE", a.subject, "Id or unique name")->required();
    CLI::Option* uploaded = remove->add_flag("--uploaded", a.uploaded, "It is the number of an upload");
    remove->add_flag("--dry-run", a.dryRun, "Say what it would take along, no change")->excludes(uploaded);
}

void addTrust(CLI::App& app, Arguments& a) {
    CLI::App* trust = app.add_subcommand("trust", "What the box itself trusts")->require_subcommand(1);
    addCommand(*trust, a, "list", "List the trust anchors of the box",
               [](auto& client, auto& terminal) { listSystemTrust(client, terminal); });
    addCommand(*trust, a, "add", "Let the box trust its own CA, with the roots to come",
               [](auto& client, auto& terminal) { trustOwnRoots(client, terminal, true); });
    addCommand(*trust, a, "remove", "Take the box's own CA out of what it trusts",
               [](auto& client, auto& terminal) { trustOwnRoots(client, terminal, false); });
}

void addAuthorityAndServices(CLI::App& app, Arguments& a) {
    CLI::App* authority = app.add_subcommand("authority", "The box's own CA")->require_subcommand(1);
    addCommand(*authority, a, "show", "Show its certificates",
               [](auto& client, auto& terminal) { showAuthorities(client, terminal); });
    CLI::App* download = addCommand(
        *authority, a, "download", "Download the root certificate",
        [&a](auto& client, auto& terminal) { downloadAuthority(client, terminal, a.der, a.output); });
    download->add_flag("--der", a.der, "DER instead of PEM");
    download->add_option("-o,--output", a.output, "File to write; default: standard output");
    const AddCommand add = [&a](CLI::App& parent, const char* name, const char* description, Action action) {
        return addCommand(parent, a, name, description, std::move(action));
    };
    addAuthorityCommands(*authority, a.authority, add);
    addAcmeCommands(app, a.acme, add);
    addBackupCommands(app, a.backup, add);
    addTrust(app, a);

    CLI::App* service =
        app.add_subcommand("service", "The services that use certificates")->require_subcommand(1);
    addCommand(*service, a, "list", "List the services and the state of their certificates",
               [](auto& client, auto& terminal) { listServices(client, terminal); });
    addCommand(*service, a, "check", "Prove by a handshake what is served now",
               [&a](auto& client, auto& terminal) { checkServices(client, terminal, a.subject); })
        ->add_option("SERVICE", a.subject, "Name of a service; default: all");

    addCommand(app, a, "status", "Tell a monitor of the alarms: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN",
               [&a](auto& client, auto& terminal) { a.health = showStatus(client, terminal); })
        ->parse_complete_callback([&a] { a.health = Health::unknown; });
    addCommand(app, a, "watch", "Print changes as they come, until Ctrl-C",
               [](auto& client, auto& terminal) { watchChanges(client, terminal); });
}

int report(const Failure& failure) {
    std::cerr << "certmgrctl: " << failure.what() << '\n';
    return static_cast<int>(failure.status());
}

// A monitor reads standard output, and takes each status for one of its own.
int reportOf(const Arguments& arguments, const Terminal& terminal, const Failure& failure) {
    if (!arguments.health) return report(failure);
    const Health unknown = showUnknownStatus(terminal, failure.what());
    std::cout.flush();
    return static_cast<int>(unknown);
}

int runAction(const Arguments& arguments) {
    const Terminal terminal{std::cout, std::cerr, arguments.json, terminalWidth()};
    try {
        Client client;
        arguments.action(client, terminal);
        if (!std::cout.flush()) throw Failure(ExitStatus::failed, "standard output cannot be written");
        return static_cast<int>(arguments.health.value_or(Health::ok));
    } catch (const Failure& failure) {
        std::cout.flush();
        return reportOf(arguments, terminal, failure);
    } catch (const std::exception& error) {
        return reportOf(arguments, terminal, Failure(ExitStatus::failed, error.what()));
    }
}

// CLI11 asks for what is missing before it names what it did not understand, which says more.
int refuseUsage(const CLI::App& app, const CLI::ParseError& error) {
    const std::vector<std::string> unknown = app.remaining(true);
    if (error.get_exit_code() == 0 || unknown.empty())
        return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::usage);
    const std::string& word = unknown.front();
    return report(Failure(ExitStatus::usage, "\"" + word + "\" is no " +
                                                 (word.starts_with('-') ? "option" : "command or argument") +
                                                 " that is known here; see certmgrctl --help"));
}

}  // namespace

int run(int argc, char** argv) {
    CLI::App app("Shows and manages the certificates of this box.", "certmgrctl");
    app.set_version_flag("--version", "certmgrctl " CERTMGR_VERSION);
    app.footer(examples);
    app.require_subcommand(1);
    Arguments arguments;
    addCertificateCommands(app, arguments);
    addAuthorityAndServices(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = refuseUsage(app, error);
        return status != 0 && arguments.health ? static_cast<int>(Health::unknown) : status;
    }
    return runAction(arguments);
}

}  // namespace certmgr::ctl
