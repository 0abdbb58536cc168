"""The ACME clients of Debian, each as its manual has it: http-01 by webroot, an ECDSA key, and a hook that reloads nginx."""

from box.process import run

MAIL = "admin@example.com"


class Peer:
    """`webroot` is served by the box's responder; `reload` is the command of their deployment hooks."""

    def __init__(self, folder, directory, trust_file, webroot, reload):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.directory, self.webroot, self.reload = directory, webroot, reload
        self.environment = {"LEGO_CA_CERTIFICATES": str(trust_file), "REQUESTS_CA_BUNDLE": str(trust_file)}

    def register(self):
        """What is done once for an account, and is not measured."""

    def version(self):
        return run(["dpkg-query", "-W", "-f", "${Version}", self.name]).stdout


class Lego(Peer):
    name = "lego"

    def command(self, name):
        return ["lego", "--server", self.directory, "--accept-tos", "--email", MAIL, "--path", self.folder,
                "--key-type", "ec256", "--http", "--http.webroot", self.webroot, "--domains", name,
                "run", "--run-hook", self.reload]

    def register(self):
        run(self.command("lego-account.example.com"), env={"PATH": "/usr/sbin:/usr/bin:/bin", **self.environment})


class Uacme(Peer):
    name = "uacme"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.hook = self.folder / "hook"
        self.hook.write_text(
            "#!/bin/sh\n"
            f'[ "$2" = http-01 ] || exit 1\nfile="{self.webroot}/.well-known/acme-challenge/$4"\n'
            'case "$1" in begin) printf %s "$5" >"$file" ;; *) rm "$file" ;; esac\n')
        self.hook.chmod(0o755)
        self.issue = self.folder / "issue"
        self.issue.write_text(
            "#!/bin/sh\n"
            f'uacme -a "{self.directory}" -c "{self.folder}" -h "{self.hook}" -t EC issue "$1" && {self.reload}\n')
        self.issue.chmod(0o755)

    def register(self):
        run(["uacme", "-a", self.directory, "-c", self.folder, "-t", "EC", "-y", "new", MAIL])

    def command(self, name):
        return [self.issue, name]


class Certbot(Peer):
    name = "certbot"

    def _common(self):
        return ["--server", self.directory, "--config-dir", self.folder / "etc", "--work-dir", self.folder / "work",
                "--logs-dir", self.folder / "log", "--non-interactive", "--agree-tos", "--email", MAIL, "--no-eff-email"]

    def register(self):
        run(["certbot", "register", *self._common()], env={"PATH": "/usr/sbin:/usr/bin:/bin", **self.environment})

    def command(self, name):
        return ["certbot", "certonly", "--webroot", "--webroot-path", self.webroot, "--key-type", "ecdsa",
                "--domains", name, "--deploy-hook", self.reload, *self._common()]


PEERS = (Lego, Uacme, Certbot)
