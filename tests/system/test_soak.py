"""Two thousand issuances and renewals, in which a certificate lives for a minute and a half in place of ninety days."""

import contextlib
import pathlib
import re
import sqlite3
import statistics
import time

import pytest
from await_state import proved
from box import Box, namespace
from box.acme import cached
from box.process import wait_until

NAMES = [f"soak-{number}.example.com" for number in range(497)]  # and the three of the box, which nginx serves
LIFETIME = 90    # seconds
RENEWED = 0.8    # of it: when what lives so shortly is renewed at the latest, core/decision.h
IN_ALL = 2000
WORKERS = 64     # orders at once, most of which wait: Pebble takes up to three seconds to validate
PEBBLES = 3      # one locks up in some runs
KNOBS = {"PEBBLE_WFE_NONCEREJECT": "20", "PEBBLE_VA_SLEEPTIME": "3", "PEBBLE_AUTHZREUSE": "50",
         "PEBBLE_ALTERNATE_ROOTS": "2", "PEBBLE_CHAIN_LENGTH": "2", "PEBBLE_WFE_ORDERS_PER_PAGE": "3"}


def request_evenly(box):
    """So that renewals come evenly too. A name that is late finds the next ones waiting."""
    begin = time.monotonic()
    for number, name in enumerate(NAMES):
        time.sleep(max(0, begin + number * RENEWED * LIFETIME / len(NAMES) - time.monotonic()))
        box.control.run("request", name, "--no-wait")


def logged(box, pattern):
    return re.findall(pattern, box.manager.log.read_text(errors="replace"))


class PebbleLockedUp(Exception):
    """Which is no fault of certmgr's: Pebble's own goroutines show it."""


def resident(process):
    """MiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1)) / 1024


def used_until(box, count):
    """The medians of what certmgrd and keyd have of memory, in MiB, and certmgrd of open descriptors, looked at each
    second while the last quarter of so many certificates comes."""
    samples = []

    def come():
        if logged(box, "CERTMGR_CODE=http-timeout"):
            assert box.ca.locked_up(), "an answer took a minute, and not because Pebble had locked up"
            raise PebbleLockedUp
        issued = len(logged(box, ": acme certificate of "))
        if issued >= count * 3 // 4:
            files = len(list(pathlib.Path(f"/proc/{box.manager.process.pid}/fd").iterdir()))
            samples.append((resident(box.manager.process), resident(box.keyd.process), files))
        return issued >= count

    wait_until(f"{count} certificates of the CA", come, 900, 1)
    return [statistics.median(column) for column in zip(*samples)]


@pytest.fixture(scope="module")
def soaked():
    """A box after all of it, and what was used in the middle and at the end."""
    if not cached("pebble")[1]:
        pytest.fail("this needs Pebble 2.10, which scripts/setup builds where Go is installed: Debian's locks up when a "
                    "dozen ask it at once")
    for _ in range(PEBBLES):
        with Box(pebble_environment=KNOBS, pebble_arguments=["-strict"], key_policy="file", pebble_settings={
                "profiles": {"soak": {"description": "", "validityPeriod": LIFETIME}},
                "retryAfter": {"authz": 1, "order": 1}}) as box:
            box.manager.set("daemon", workers=WORKERS)
            box.start()
            request_evenly(box)
            try:
                used = [used_until(box, IN_ALL // 2), used_until(box, IN_ALL)]
            except PebbleLockedUp:
                continue
            proved(box, "acme")
            served = {name: box.look(name) for name in namespace.NAMES}
            assert box.manager.stop() == 0
            yield box, used, served
            return
    pytest.fail(f"{PEBBLES} Pebbles have locked up")


def test_every_one_succeeds(soaked):
    box, _, served = soaked
    assert logged(box, ".*next attempt.*") == []
    names = [*NAMES, *namespace.NAMES]
    assert len(logged(box, ": local certificate of ")) == len(names), "once each, and never again"
    assert all(look.verified for look in served.values())


def test_orders_at_the_server_are_intents_of_ours(soaked):
    box, _, _ = soaked
    with contextlib.closing(sqlite3.connect(box.manager.state / "certmgr.db")) as database:
        sent = database.execute("SELECT count(*) FROM orders WHERE url != ''").fetchone()[0]
        others = database.execute(
            "SELECT DISTINCT state, explanation FROM orders WHERE state IN ('abandoned', 'lost')").fetchall()
    # Pebble fails at "replaces" where it does not know the certificate, and its list has three orders a page.
    assert set(others) <= {("lost", "the CA failed at newOrder, and the CA's list of orders is too long to be read to its end")}
    assert box.ca.count("Added order") == sent >= IN_ALL


def test_neither_memory_nor_descriptors_grow(soaked):
    _, (early, late), _ = soaked
    for what, before, after in zip(("certmgrd, MiB", "keyd, MiB", "descriptors"), early, late):
        print(f"{what}: {before:.1f} up to {IN_ALL // 2} certificates, {after:.1f} up to {IN_ALL}")
    (memory, keyd, _), (memory_late, keyd_late, files_late) = early, late
    assert memory_late < memory + 3, "what a worker's thread keeps comes and goes, and renewals come in waves"
    assert keyd_late < keyd + 2, "a connection for each worker"
    assert files_late < 48 + WORKERS, "those of a daemon at rest, and a connection to the CA for each worker"
