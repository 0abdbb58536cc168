"""A service of the gateway with the profile that is shipped for it, on the standard ports of the box's own loopback."""

import shlex
import socket
import ssl

from .process import Process, port_open, wait_until

INACTIVE = 3  # the status of a reload that finds nothing running


class Daemon:
    """What the kinds of services have in common. A kind says which, by the attributes, and how, by the methods."""

    service = ""  # of the profile
    unit = ""     # that is reloaded; empty: certmgr-install is all
    port = 0      # open when it is up
    names = ("mail.example.com",)
    extra_profile = {}  # values of this box besides the names
    by_reference = True  # else it reads a key file, which certmgr-install has written
    profile = ""  # empty: the one that is shipped

    def __init__(self, box):
        self.box = box
        self.folder = box.folder / self.service
        self.folder.mkdir()
        self.log = box.folder / f"log/{self.service}.log"
        self.environment = {"OPENSSL_CONF": str(box.openssl_conf)} if self.by_reference else {}
        self.process = None
        box.manager.enable(self.service, self.names, self.places(), self.profile, **self.extra_profile)
        self.configure()
        self.repair()
        box.add(self)

    # ---- what a kind brings
    def places(self):
        """What the shipped profile names, and where it is in this box."""
        return {}

    def configure(self):
        """Writes its configuration."""

    def command(self):
        """It stays in the foreground."""
        raise NotImplementedError

    def reload_command(self):
        """As the unit's ExecReload."""
        return f"kill -HUP {self.pid_of_main()}"

    def connect(self, context):
        """One client's TLS, verified by `context`; the caller closes it."""
        return connect_tls(context, self.port, self.names[0])

    def clients(self, trust_pem):
        """Called, it is one client more: it returns the leaf that it is shown, as PEM, or raises OSError."""
        context = ssl.create_default_context(cadata=trust_pem)

        def one():
            with self.connect(context) as connection:
                return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))

        return one

    def end(self):
        """Before it is sent SIGTERM."""

    # ---- what all do
    def files(self, name=None):
        """Where it reads its certificate."""
        manager = self.box.manager
        if self.by_reference:
            return manager.live(self.service, name or self.names[0])
        return manager.installed / self.service / (name or self.names[0]) / "current"

    def pid_of_main(self):
        return f"$(cat {shlex.quote(str(self.folder / 'pid'))})"

    @property
    def told_by(self):
        """The unit through which the service hears of a change."""
        return self.unit or f"certmgr-install@{self.service}.service"

    def repair(self):
        """It hears of changes as it should."""
        self.set_reload(self.reload_command() if self.unit else "")

    def set_reload(self, script):
        if self.unit:
            pid = shlex.quote(str(self.folder / "pid"))
            script = f"[ -s {pid} ] || exit {INACTIVE}\n{script}"
        self.box.systemd.unit(self.told_by, **{"reload" if self.unit else "start": script})

    def start(self):
        self.process = Process(self.service, self.command(), self.log, environment=self.environment)
        (self.folder / "pid").write_text(str(self.process.pid))
        self.process.wait_until("its port was open", self.up)

    def up(self):
        return port_open(self.port)

    def stop(self):
        if self.process:
            self.end()
            self.process.stop()
            self.process = None
            (self.folder / "pid").unlink(missing_ok=True)
            wait_until(f"end of {self.service}", lambda: not self.up())


def connect_tls(context, port, name):
    """TLS from the first byte; the caller closes it."""
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname=name)
