"""stunnel: a module that is nothing but the profile below."""

import shutil

from .daemon import Daemon

PROFILE = """description = "Tunnel"
key = "file"
unit = "stunnel4.service"

[install]
group = "stunnel4"
mode = "0640"

[[probe]]
kind = "tls"
port = 8446
"""
CONFIGURATION = """foreground = yes
pid =
setuid = stunnel4
setgid = stunnel4
debug = 5
[echo]
accept = 127.0.0.1:8446
exec = /bin/echo
execArgs = echo hello
cert = {files}/fullchain.pem
key = {files}/key.pem
"""


class Stunnel(Daemon):
    """Beside another OpenSSL provider it finds no groups to negotiate with (5.68): it reads its key from a file."""

    service, unit, port, profile, by_reference = "tunnel", "stunnel4.service", 8446, PROFILE, False

    key_owner = ("root", "stunnel4")

    def configure(self):
        self.configuration = self.folder / "stunnel.conf"
        self.configuration.write_text(CONFIGURATION.format(files=self.files()))
        self.configuration.chmod(0o644)

    def command(self):
        return [shutil.which("stunnel4"), self.configuration]
