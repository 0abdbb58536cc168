"""certmgrd and its challenge responder, unprivileged, and certmgrctl to ask it with."""

import json
import re
import shutil
import socket

from .namespace import ROOTFS
from .process import BoxError, Process, port_open, run

CONFIGURATION = """state_directory = "{state}"
challenge_directory = "{challenges}"

[services]
directories = ["{services}"]
install_directory = "{installed}"

[keys]
socket = "{keyd}"
provider = "{provider}"
policy = "{key_policy}"

[acme]
public_names_only = false
challenge_port = {challenge_port}
"""
CA = """
[[acme.ca]]
name = "{name}"
directory = "{directory}"
trust_file = "{trust_file}"
contacts = ["mailto:admin@example.com"]
terms_agreed = true
"""
PROFILE = """description = "{description}"
names = {names}
users = ["www-data"]
{told}

[probe]
kind = "https"
address = "127.0.0.1"
port = {port}
"""


def toml_line(item):
    key, value = item
    if isinstance(value, dict):
        return "".join(f"{key}.{toml_line(inner)}" for inner in value.items())
    return f"{key} = {json.dumps(value)}\n"


class Responder:
    def __init__(self, folder, program, port):
        self.program, self.port = program, port
        self.directory = folder / "challenges"
        self.directory.mkdir()
        shutil.chown(self.directory, "certmgr", "certmgr")
        self.process = Process("certmgr-responder", [program, "--directory", self.directory,
                                                     "--listen", f"127.0.0.1:{port}"],
                               folder / "log/responder.log", user="certmgr-responder")
        self.process.wait_until("its port was open", lambda: port_open(port))

    def stop(self):
        self.process.stop()


class Manager:
    """The daemon. `start` returns when it says READY=1, as systemd would wait for it."""

    def __init__(self, folder, program, bus_address, challenge_port):
        self.folder = folder
        self.program = program
        self.challenge_port = challenge_port
        self.configuration = folder / "certmgr.toml"
        self.services = folder / "services.d"
        self.services.mkdir()
        # What probes run, as `install` copies the binaries.
        self.programs = shutil.copytree(ROOTFS / "usr/libexec/certmgr", folder / "libexec")
        self.installed = folder / "installed"
        self.state = folder / "state"
        self.state.mkdir(mode=0o755)
        shutil.chown(self.state, "certmgr", "certmgr")
        self.log = folder / "log/certmgrd.log"
        self.notify_socket = folder / "notify"
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": bus_address, "NOTIFY_SOCKET": str(self.notify_socket)}
        self.process = None

    def configure(self, keyd, provider, cas, key_policy="prefer-tpm", **of_each_ca):
        text = CONFIGURATION.format(state=self.state, challenges=self.folder / "challenges", services=self.services,
                                    installed=self.installed, keyd=keyd, provider=provider, key_policy=key_policy,
                                    challenge_port=self.challenge_port)
        self.configuration.write_text(text + "".join(
            CA.format(name=name, directory=server.directory, trust_file=server.trust_file)
            + "".join(map(toml_line, of_each_ca.items())) for name, server in cas.items()))

    def prove_by_dns(self, knot, **values):
        with open(self.configuration, "a", encoding="utf-8") as configuration:
            configuration.write("\n[[dns]]\n" + "".join(map(toml_line, {
                "zones": [knot.zone], "server": f"127.0.0.1:{knot.port}", "key": "certmgr",
                "secret_file": str(knot.secret_file), "wait_seconds": 30, **values}.items())))

    def prove_by_hook(self, knot, **values):
        """Instead of by updates of certmgrd's own, which came last."""
        settings, _, _ = self.configuration.read_text().partition("\n[[dns]]\n")
        self.configuration.write_text(settings + "\n[[dns]]\n" + "".join(
            map(toml_line, {"zones": [knot.zone], "wait_seconds": 30, **values}.items())))

    def set(self, table, **values):
        """A table of the settings that is not there yet."""
        with open(self.configuration, "a", encoding="utf-8") as configuration:
            configuration.write(f"\n[{table}]\n" + "".join(map(toml_line, values.items())))

    def set_acme(self, **values):
        """In the table [acme], in the place of what the tests have there."""
        text = self.configuration.read_text()
        for name in values:
            text = re.sub(rf"^{name} = .*\n", "", text, flags=re.MULTILINE)
        self.configuration.write_text(text.replace("[acme]\n", "[acme]\n" + "".join(map(toml_line, values.items())), 1))

    def add_service(self, name, description, names, nginx, check=True, reload=True):
        """One certificate for each of the names. `reload`: nginx has them when it is reloaded, else for each connection."""
        told = [f"check_command = {json.dumps(nginx.check_command)}"] if check and reload else []
        told.append(f"reload_command = {json.dumps(nginx.reload_command)}" if reload else "reload = false")
        (self.services / f"{name}.toml").write_text(PROFILE.format(
            description=description, names=json.dumps(list(names)), told="\n".join(told), port=nginx.port))

    def enable(self, service, names, places, profile="", **more):
        """The profile that is shipped for a service, or another, with the names and other values of this box; `places`:
        what lies elsewhere here. Proofs that must fail shall not take long."""
        shipped = profile or (ROOTFS / f"usr/lib/certmgr/services.d/{service}.toml").read_text()
        for place, here in {"/usr/libexec/certmgr": self.programs, **places}.items():
            shipped = shipped.replace(place, str(here))
        limit = 10 if 'kind = "command"' in shipped else 3  # programs take time to start
        (self.services / f"{service}.toml").write_text(
            re.sub(r"^(\[\[?probe\]\]?)$", rf"\1\ntimeout_seconds = {limit}", shipped, flags=re.MULTILINE))
        self.drop_in(service, "10-names", names=list(names), **more)

    def drop_in(self, service, name, **values):
        folder = self.services / f"{service}.toml.d"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.conf").write_text("".join(map(toml_line, values.items())))

    def live(self, service, certificate):
        """The folder that the service reads."""
        return self.state / "live" / service / certificate / "current"

    def launch(self, wrapper=()):
        """Starts it without waiting; `wrapper` is a command in front of it."""
        command = [*wrapper, self.program, "--config", self.configuration]
        # Ambient CAP_KILL stands in for the polkit rule that lets it reload units on a gateway.
        self.process = Process("certmgrd", command, self.log, user="certmgr", environment=self.environment,
                               ambient=("kill",))

    def start(self, wrapper=(), limit=30):
        self.notify_socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
            notifications.bind(str(self.notify_socket))
            self.notify_socket.chmod(0o666)
            notifications.settimeout(0.01)
            self.launch(wrapper)

            def ready():
                try:
                    return b"READY=1" in notifications.recv(4096)
                except TimeoutError:
                    return False

            self.process.wait_until("it was ready", ready, limit)
        self.notify_socket.unlink(missing_ok=True)

    def stop(self):
        return self.process.stop() if self.process else 0

    def restart(self):
        self.stop()
        self.start()


class Control:
    """certmgrctl, as `user` (empty: root)."""

    def __init__(self, program, bus_address, user=""):
        self.program = program
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": bus_address, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        self.prefix = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"] if user else []

    def run(self, *arguments, check=True, **options):
        return run([*self.prefix, self.program, *arguments], check=check, env=self.environment, **options)

    def json(self, *arguments):
        result = self.run(*arguments, "--json")
        try:
            return json.loads(result.stdout)
        except json.JSONDecodeError:
            raise BoxError(f"certmgrctl {' '.join(arguments)} --json did not answer JSON:\n{result.stdout}") from None

    def certificates(self):
        """All of them, by their id."""
        return {certificate["Id"]: certificate for certificate in self.json("list")}
