"""What the sandboxes of the units leave to the programs."""

import functools
import pathlib

from box.process import run

UNITS = pathlib.Path(__file__).resolve().parents[2] / "rootfs/usr/lib/systemd/system"


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
