"""SoftEther VPN server: SSTP is TLS on port 443."""

from .daemon import Daemon
from .process import run

PASSWORD = "of the administrator"

SERVICE = """mount --bind {folder}/var /var
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/softether
exec /usr/libexec/softether/vpnserver/vpnserver execsvc
"""


class SoftEther(Daemon):
    service, port, by_reference = "softether", 5555, False
    names = ("vpn.example.com",)
    key_owner = ("root", "root")

    def places(self):
        return {"/var/lib/softether": self.folder / "var/lib/softether",
                "/etc/certmgr/softether.password": self.folder / "password"}

    def configure(self):
        for name in ("lib", "log"):
            (self.folder / "var" / name / "softether").mkdir(parents=True)
        (self.folder / "password").write_text(PASSWORD + "\n")
        (self.folder / "password").chmod(0o600)

    def start(self):
        super().start()
        # What it has kept of a run before is asked for first.
        with (self.folder / "password").open() as before:
            run(["vpncmd", "localhost:5555", "/SERVER", "/CMD", "ServerPasswordSet", PASSWORD], stdin=before)

    def command(self):
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SERVICE.format(folder=self.folder)]

    def end(self):
        self.process.kill()  # it takes the whole namespace along; SIGTERM it would not hand on
