"""Revocation at the CA, by both Pebbles: what serves is replaced and proved first, whatever dies in between."""

import contextlib
import json
import sqlite3
import ssl
import threading
import urllib.request

import pytest
from await_state import certificates_where, on_bus, proved
from box import QUICK, WEB_INTERFACE
from box.process import wait_until

REVOKE = "POST /revoke-cert"


def status_at(ca, serial):
    """What Pebble itself says of a certificate: "Valid" or "Revoked", and the reason."""
    context = ssl.create_default_context(cafile=str(ca.trust_file))
    url = f"https://127.0.0.1:{ca.management}/cert-status-by-serial/{serial}"
    with urllib.request.urlopen(url, context=context, timeout=10) as answer:
        status = json.load(answer)
    return status["Status"], status.get("Reason")


def revoked(box, limit=60):
    return certificates_where(box, lambda it: it["Revocation"].startswith("done"), "the revocation",
                              names=[WEB_INTERFACE], limit=limit)[WEB_INTERFACE]


@pytest.mark.parametrize("ca", ["pebble", "debian-pebble"])
def test_a_compromised_key_is_replaced_then_revoked(make_box, ca):
    box = make_box(ca=ca, pebble_environment=QUICK)
    box.start()
    before = proved(box, "acme")[WEB_INTERFACE]
    dry = box.control.run("acme", "revoke", WEB_INTERFACE, "--reason", "key-compromise", "--dry-run")
    assert before["Serial"] in dry.stdout and status_at(box.ca, before["Serial"])[0] == "Valid"
    box.control.run("acme", "revoke", WEB_INTERFACE, "--reason", "key-compromise")
    after = revoked(box)
    assert status_at(box.ca, before["Serial"]) == ("Revoked", 1)
    assert status_at(box.ca, after["Serial"])[0] == "Valid" and after["State"] == "acme"
    assert box.look(WEB_INTERFACE).verified
    log = box.ca.log.read_text(errors="replace")
    assert log.rindex("POST /finalize-order") < log.index(REVOKE), "replaced before revoked"


def test_killed_at_any_request_it_is_neither_forgotten_nor_too_early(make_box):
    """The daemon dies when the CA has seen the Nth request of the flow."""
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    for words in ("POST /order-plz", "POST /finalize-order", REVOKE):
        before = certificates_where(box, lambda it: it["Proof"] == "proved" and not it["Activity"], "peace")
        serial, orders, seen = before[WEB_INTERFACE]["Serial"], box.ca.count("POST /order-plz"), box.ca.count(words)
        command = threading.Thread(target=box.control.run, kwargs={"check": False}, args=(
            "acme", "revoke", WEB_INTERFACE, "--reason", "superseded"))
        command.start()
        wait_until(words, lambda: box.ca.count(words) > seen)
        box.manager.process.kill()
        box.manager.process.child.wait()
        command.join()
        if words != REVOKE:
            assert status_at(box.ca, serial)[0] == "Valid", f"revoked before it was replaced ({words})"
        box.manager.launch()
        on_bus(box)
        wait_until("the revocation", lambda: status_at(box.ca, serial)[0] == "Revoked", 60)
        revoked(box)
        assert box.look(WEB_INTERFACE).verified
        assert box.ca.count("POST /order-plz") - orders == 1, f"one order for one intent ({words})"


def test_a_service_that_is_off_does_not_hold_back_a_compromised_key(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    before = proved(box, "acme")[WEB_INTERFACE]
    box.nginx.stop()
    box.control.run("acme", "revoke", WEB_INTERFACE, "--reason", "key-compromise")
    after = revoked(box)
    assert status_at(box.ca, before["Serial"]) == ("Revoked", 1)
    assert after["Proof"] == "waiting" and status_at(box.ca, after["Serial"])[0] == "Valid"
    box.nginx.start()
    assert box.look(WEB_INTERFACE).verified, "it comes up with the other one"


def two_hours_pass(box):
    """For the revocations that are due."""
    box.manager.stop()
    with contextlib.closing(sqlite3.connect(box.manager.state / "certmgr.db")) as database, database:
        assert database.execute("UPDATE acme_revocations SET asked = asked - 7200 WHERE state = 'due'").rowcount == 1
    box.manager.start()


def test_one_that_goes_on_serving_it_does_until_the_administrator_says_otherwise(make_box):
    box = make_box(pebble_environment=QUICK)
    with open(box.manager.services / "web-interface.toml", "a", encoding="utf-8") as profile:
        profile.write("timeout_seconds = 2\n")  # of the proofs that fail
    box.start()
    before = proved(box, "acme")[WEB_INTERFACE]
    reload_script, = box.nginx.reload_command
    with open(reload_script, "r+", encoding="utf-8") as script:
        script.truncate()
        script.write("#!/bin/sh\nexit 0\n")
    held = box.control.run("acme", "revoke", WEB_INTERFACE, "--reason", "key-compromise", check=False)
    assert held.returncode == 1 and "proved at web-interface" in held.stdout
    assert status_at(box.ca, before["Serial"])[0] == "Valid"
    assert box.control.run("status").stdout.startswith("CERTMGR OK")
    two_hours_pass(box)

    def status():
        return box.control.run("status", check=False)

    wait_until("the alarm", lambda: "revocation-due" in status().stdout)
    assert status().returncode == 2 and "proved at web-interface" in status().stdout
    box.control.run("acme", "revoke", WEB_INTERFACE, "--now")
    assert status_at(box.ca, before["Serial"]) == ("Revoked", 1)
    assert status_at(box.ca, box.control.certificates()[WEB_INTERFACE]["Serial"])[0] == "Valid"
    wait_until("its end", lambda: "revocation-due" not in status().stdout)

