"""What the sandboxes of the units leave to the programs, and that names of units, users and groups are those there are."""

import functools
import pathlib
import re

from await_state import certificates_where
from box import QUICK, WEB_INTERFACE
from box.process import run

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ROOTFS = REPOSITORY / "rootfs"
UNITS = ROOTFS / "usr/lib/systemd/system"


@functools.cache
def calls_of(name):
    """A system call, or all those of a set of systemd's."""
    if not name.startswith("@"):
        return frozenset([name])
    listing = run(["systemd-analyze", "syscall-filter", name]).stdout.splitlines()[1:]
    members = [line.strip() for line in listing if line.strip() and not line.strip().startswith("#")]
    return frozenset().union(*map(calls_of, members))


def allowed_calls(unit):
    """systemd.exec(5), SystemCallFilter=: the lines add to the allowed calls or, with "~", take away from them."""
    lines = (UNITS / unit).read_text().splitlines()
    allowed = frozenset()
    if "ProtectClock=yes" in lines:
        lines.append("SystemCallFilter=~@clock")
    for words in (line.partition("=")[2] for line in lines if line.startswith("SystemCallFilter=")):
        calls = frozenset().union(*map(calls_of, words.lstrip("~").split()))
        allowed = allowed - calls if words.startswith("~") else allowed | calls
    return allowed


def test_certmgrd_may_read_whether_the_clock_is_synchronised_and_not_set_it():
    allowed = allowed_calls("certmgr.service")
    assert {"adjtimex", "clock_adjtime"} <= allowed
    assert not {"settimeofday", "clock_settime", "mount", "ptrace"} & allowed
    assert "CapabilityBoundingSet=" in (UNITS / "certmgr.service").read_text().splitlines()


def test_units_that_are_named_to_people_exist():
    named = set()
    for page in (ROOTFS / "usr/share/man").rglob("*.[0-9]"):
        text = page.read_text().replace("\\-", "-")
        named.update(re.findall(r"\bcertmgr[\w-]*@?\.(?:service|socket)\b", text))
    client = (REPOSITORY / "certmgr/ctl/client.cpp").read_text()
    named.update(f"{unit}.service" for unit in re.findall(r"systemctl status (\w+)", client))
    assert named
    assert not {unit for unit in named if not (UNITS / unit).exists()}


def test_users_and_groups_that_are_named_are_made():
    lines = (ROOTFS / "usr/lib/sysusers.d/certmgr.conf").read_text().splitlines()
    made = {line.split()[1] for line in lines if line[:2] in ("u ", "g ")}
    rules = (ROOTFS / "usr/share/polkit-1/rules.d/50-certmgr.rules").read_text()
    named = set(re.findall(r'isInGroup\("([\w-]+)"\)|subject\.user == "([\w-]+)"', rules))
    named = {name for pair in named for name in pair if name}
    for unit in UNITS.glob("*.service"):
        named.update(re.findall(r"^(?:User|Group)=([\w-]+)$", unit.read_text(), flags=re.MULTILINE))
    assert named - {"root"} <= made


def test_certmgrd_works_where_it_sees_no_user_but_its_own(make_box):
    """As PrivateUsers= has it. It asks keyd, the CA, the bus and polkit; commands that reload are systemd's on a gateway."""
    box = make_box(pebble_environment=QUICK)
    box.manager.start(wrapper=("unshare", "--user", "--map-current-user"))
    certificates_where(box, lambda it: (it["State"], it["KeyBackend"]) == ("acme", "tpm"), "acme, with its key in the TPM")
    assert box.visitor.run("reissue", WEB_INTERFACE, check=False).returncode == 4
