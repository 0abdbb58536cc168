"""dns-01 and dns-account-01 by dynamic updates of real name servers, which the ACME server asks."""

import re
import signal

from await_state import certificates_where
from box import QUICK, namespace
from box.process import wait_until

ZONE = "example.com"
WILDCARD = f"*.{ZONE}"


def issued(box):
    """The wildcard by dns-01, the names of the services by http-01."""
    wildcard = next(it["Id"] for it in box.control.certificates().values() if WILDCARD in it["Names"])
    certificates = certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate",
                                      names=[*namespace.NAMES, wildcard])
    assert box.ca.count("POST /order-plz") == len(certificates), "no order was made twice"


def test_a_wildcard_is_issued_and_its_record_removed(make_box):
    box = make_box(pebble_environment=QUICK, zone=ZONE)
    box.manager.start()
    box.control.run("request", WILDCARD, ZONE)
    wait_until("a record, of the one that http-01 cannot prove", lambda: len(box.knot.proofs()) == 1)
    box.knot.follow()
    issued(box)
    assert not box.knot.proofs()
    assert not list((box.manager.state / "dns-records").iterdir())


def test_a_wildcard_is_proved_for_one_account(make_box):
    """dns-account-01, which only the newer Pebble offers."""
    box = make_box(pebble_environment=QUICK, zone=ZONE)
    settings = box.manager.configuration
    settings.write_text(settings.read_text().replace("[acme]", '[acme]\nchallenges = ["http-01", "dns-account-01"]', 1))
    box.manager.start()
    box.control.run("request", WILDCARD)
    wait_until("a record", lambda: len(box.knot.proofs()) == 1)
    assert re.search(rf" _[a-z2-7]{{16}}\._acme-challenge\.{re.escape(ZONE)}\. ", box.knot.proofs()[0])
    box.knot.follow()
    issued(box)
    assert not box.knot.proofs()


def test_the_record_goes_where_an_alias_leads(make_box):
    box = make_box(pebble_environment=QUICK, zone=ZONE, sites=False)
    box.knot.change(["_acme-challenge.away CNAME proof-of-away.dynamic"])
    box.knot.follow()
    box.manager.set_acme(challenges=["dns-01"])
    box.manager.start()
    box.control.run("request", f"away.{ZONE}")
    wait_until("a record", box.knot.proofs)
    assert f" proof-of-away.dynamic.{ZONE}. " in box.knot.proofs()[0]
    box.knot.follow()
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=[f"away.{ZONE}"])
    assert not box.knot.proofs()


def test_the_record_of_a_killed_run_is_removed(make_box):
    """It is killed while it waits for the secondary."""
    box = make_box(pebble_environment=QUICK, zone=ZONE)
    box.manager.start()
    box.control.run("request", WILDCARD)
    wait_until("a record", box.knot.proofs)
    box.manager.process.kill(signal.SIGKILL)
    box.manager.process.stop()
    left = box.knot.proofs()
    assert len(left) == 1
    box.manager.start()
    box.knot.follow()
    issued(box)
    assert not box.knot.proofs(), f"{left} was removed"
