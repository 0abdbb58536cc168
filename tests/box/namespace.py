"""A mount namespace in which the product's users and polkit files exist, and the machine's own stay untouched.

So the pieces run with the very user names, bus policy and polkit actions that are shipped in rootfs/.
"""

import ctypes
import os
import pathlib
import pwd
import tempfile

from .process import BoxError, run

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ROOTFS = REPOSITORY / "rootfs"
CLONE_NEWNS = 0x00020000   # linux/sched.h; os.unshare comes with Python 3.12 only
CLONE_NEWNET = 0x40000000

# Users of the product as sysusers.d makes them on a gateway, and one person without any rights.
USERS = {"certmgr": 64901, "certmgr-keyd": 64902, "certmgr-responder": 64903, "visitor": 64904}
NAMES = ("gw.example.com", "app.example.com", "shop.example.com")


def enter(network=False):
    """Once for a process, before it starts anything. Its children inherit it; it ends with the last of them.

    `network`: a loopback of its own too, where ports 80 and 443 are free and nothing outside can be reached, and a /run
    of its own: another process that does the same shares nothing with this one.
    """
    if getattr(enter, "done", False):
        return
    if os.geteuid() != 0:
        raise BoxError("a private set of users and mounts needs root: run it with sudo")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | (CLONE_NEWNET if network else 0)) != 0:
        raise BoxError("this machine refuses private namespaces "
                       f"({os.strerror(ctypes.get_errno())}); in a container, allow it CAP_SYS_ADMIN")
    if network:
        run(["ip", "link", "set", "lo", "up"])
        # "nginx -t" binds port 80 as the manager's user.
        pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")
    run(["mount", "--make-rprivate", "/"])
    if network:
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    _add_users_and_names()
    _bind(ROOTFS / "usr/share/polkit-1/rules.d", pathlib.Path("/usr/share/polkit-1/rules.d"))
    _add_actions()
    enter.done = True


def _add_users_and_names():
    present = {user.pw_name for user in pwd.getpwall()}
    added = {name: number for name, number in USERS.items() if name not in present}
    lines = {
        "passwd": [f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin" for name, number in added.items()],
        "group": [f"{name}:x:{number}:" for name, number in added.items()],
        "hosts": [f"127.0.0.1 {name}" for name in NAMES],
    }
    with tempfile.TemporaryDirectory(prefix="certmgr-etc-") as folder:
        for name, more in lines.items():
            original = pathlib.Path("/etc") / name
            copy = pathlib.Path(folder) / name
            copy.write_text("\n".join([original.read_text().rstrip("\n"), *more, ""]))
            copy.chmod(0o644)
            _bind(copy, original)  # the mount holds the inode: the copy's name may go


def _add_actions():
    """Beside those of the machine, among which are systemd's."""
    target = pathlib.Path("/usr/share/polkit-1/actions")
    present = {file.name: file.read_bytes() for file in target.glob("*.policy")}
    ours = {file.name: file.read_bytes() for file in (ROOTFS / "usr/share/polkit-1/actions").iterdir()}
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", target])
    for name, content in {**present, **ours}.items():
        (target / name).write_bytes(content)


def _bind(source, target):
    if source.exists() and target.exists():
        run(["mount", "--bind", source, target])
