"""A gateway with a real systemd as its PID 1: the tree of firmware/, booted by systemd-nspawn."""

import pathlib
import re
import shutil
import socket
import tempfile

from .manager import Control
from .namespace import REPOSITORY
from .process import Process, find_program, run
from .tls import Seen

# Mounts and a control group of its own: nspawn leaves traces below /run, and another machine may run beside this one.
BOOT = """mount -t tmpfs run /run && echo $$ >{group}/cgroup.procs && exec {nspawn} --quiet --boot --directory={tree} --machine=gateway \\
    --register=no --keep-unit --private-network --resolv-conf=off --link-journal=no --console=pipe --capability=all \\
    '--system-call-filter=bpf keyctl add_key request_key'"""


def control_groups():
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    return next(pathlib.Path(place) for _, place, kind, *_ in mounts if kind == "cgroup2")


class Machine:
    """It has a loopback and no other network, and lies in memory. `etc` goes over the tree's own, and the units `enable`
    are enabled too."""

    def __init__(self, etc, enable=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="certmgr-"))
        self.folder.chmod(0o755)
        self.tree = self.folder / "tree"
        self.tree.mkdir()
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "tree", self.tree])
        self.group = control_groups() / self.folder.name
        self.group.mkdir()
        self.process = None
        try:
            run([REPOSITORY / "firmware/tree", self.tree], limit=1200)
            run(["cp", "-r", "--no-dereference", "--remove-destination", etc, self.tree])
            run(["chroot", self.tree, "systemctl", "--quiet", "enable", *enable])
            self.boot()
        except BaseException:
            self.close()
            raise

    def boot(self, limit=180):
        """Returns when systemd has started what is enabled, or has failed to."""
        boot = BOOT.format(nspawn=find_program("systemd-nspawn"), tree=self.tree, group=self.group)
        address = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
            notifications.bind(str(address))
            notifications.settimeout(0.01)
            self.process = Process("systemd-nspawn", ["unshare", "-m", "sh", "-c", boot], self.folder / "console.log",
                                   environment={"NOTIFY_SOCKET": str(address), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
            self.process.wait_until("it said what its PID 1 is", lambda: self._leader_from(notifications))
        address.unlink()
        private = pathlib.Path(f"/proc/{self.leader}/root/run/systemd/private")
        self.process.wait_until("systemd could be asked", private.exists, limit)
        self.state = self.run("systemctl", "is-system-running", "--wait", check=False, limit=limit).stdout.strip()

    def _leader_from(self, notifications):
        try:
            said = re.search(rb"X_NSPAWN_LEADER_PID=(\d+)", notifications.recv(4096))
        except TimeoutError:
            return False
        self.leader = int(said.group(1)) if said else None
        return bool(said)

    @property
    def inside(self):
        return ["nsenter", "--target", str(self.leader), "--all", "--"]

    def run(self, *argv, user="", **options):
        """A command of the machine, as root or as `user`."""
        who = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"] if user else []
        return run([*self.inside, *who, *argv], **options)

    def control(self, user=""):
        control = Control("certmgrctl", "unix:path=/run/dbus/system_bus_socket", user)
        control.prefix = [*self.inside, *control.prefix]
        return control

    def property(self, unit, name):
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def journal(self, *arguments):
        return self.run("journalctl", "--boot=0", "--no-pager", *arguments).stdout

    def look(self, name, port):
        """One handshake, verified up to the box's own root."""
        return Seen(self.run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-showcerts",
                             "-verify_hostname", name, "-CAfile", "/var/lib/certmgr/authority/trust.pem", "-no-CApath",
                             "-no-CAstore", check=False).stdout)

    def shut_down(self):
        """As its power button does it. Returns the exit status of systemd-nspawn."""
        return self.process.stop(patience=60)

    def close(self):
        if self.process:
            self.shut_down()
        for group in sorted(self.group.rglob("*/"), reverse=True):
            group.rmdir()
        self.group.rmdir()
        run(["umount", self.tree])
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
