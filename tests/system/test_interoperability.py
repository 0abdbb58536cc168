"""ACME servers as different as there are: two implementations, two releases of Pebble, and each of its knobs."""

import pytest
from await_state import certificates_where, proved
from box import QUICK, namespace

KNOBS = {
    "nine of ten nonces rejected": {"PEBBLE_WFE_NONCEREJECT": "90", "PEBBLE_VA_NOSLEEP": "1"},
    "half of the nonces rejected, slow validation": {"PEBBLE_WFE_NONCEREJECT": "50", "PEBBLE_VA_SLEEPTIME": "3",
                                                     "PEBBLE_AUTHZREUSE": "50"},
    "every authorization is there already": {**QUICK, "PEBBLE_AUTHZREUSE": "100"},
    "no authorization is ever used again": {**QUICK, "PEBBLE_AUTHZREUSE": "0"},
    "a long chain": {**QUICK, "PEBBLE_CHAIN_LENGTH": "3"},
    "alternate chains": {**QUICK, "PEBBLE_ALTERNATE_ROOTS": "2"},
    "three orders of an account a page": {**QUICK, "PEBBLE_WFE_ORDERS_PER_PAGE": "3"},
}


def issued_and_issued_again(box):
    box.start()
    before = proved(box, "acme", limit=120)
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    certificates_where(box, lambda it: it["Serial"] != before[it["Id"]]["Serial"] and it["State"] == "acme"
                       and it["Proof"] == "proved", "another certificate", limit=120)
    assert all(box.look(name).verified for name in namespace.NAMES)


@pytest.mark.parametrize("release", ["pebble", "debian-pebble"])
@pytest.mark.parametrize("knob", KNOBS)
def test_pebble(make_box, release, knob):
    box = make_box(ca=release, pebble_environment=KNOBS[knob], pebble_arguments=["-strict"])
    issued_and_issued_again(box)
    assert box.ca.count("Added order") == 2 * len(namespace.NAMES)


def test_caddy(make_box):
    issued_and_issued_again(make_box(ca="caddy"))
