"""What an ACME server may take its time for: more than the client's limits is refused, and what it began is gone on with."""

import threading

import pytest
from acme_faults import (Fault, Row, attempt, both, faulty_gateway, header, held, issued, list_of, next_question, prove,
                         set_json, trickling, unchanged)
from box.process import wait_until
from test_revocation import status_at

LIMIT = 2  # seconds for an answer, and for an authorization or order to come to its end
STEPS = ("newOrder", "authorization", "challenge", "finalize", "order", "certificate")
PROCESSING = set_json(status="processing")
TABLE = {
    **{f"{resource}: held back": Row(resource, held(LIMIT + 2), "did not answer in time") for resource in STEPS},
    **{f"{resource}: a byte a second": Row(resource, trickling(1, 1), "did not answer in time")
       for resource in ("newOrder", "finalize", "certificate")},
    **{f"{resource}: slow, and in time": Row(resource, trickling(500, LIMIT / 40)) for resource in STEPS},
    "order: processing for ever": Row("order", PROCESSING, "has not finished"),
    "order: processing for ever, asks to wait": Row("order", both(PROCESSING, header("Retry-After", "1")), "asks to wait longer"),
    "order: pending for ever": Row("newOrder", list_of("authorizations", lambda urls: urls[:1]), "has not finished", three=True),
    "authorization: pending for ever": Row("authorization", set_json(status="pending"), "has not finished"),
}


@pytest.fixture(scope="module")
def gateway():
    with faulty_gateway(timeout_seconds=LIMIT, wait_seconds=LIMIT) as box:
        yield box


@pytest.mark.parametrize("fault", TABLE)
def test_one_thing_takes_its_time(gateway, fault):
    prove(gateway, TABLE[fault], f"fault-{list(TABLE).index(fault)}.example.com")


def test_what_is_not_said_of_the_renewal_is_asked_for_in_a_minute(gateway):
    gateway.proxy.change = fault = Fault(Row("renewalInfo", held(LIMIT + 2)))
    try:
        attempt(gateway, "renewal.example.com")
        issued(gateway, "renewal.example.com")
        wait_until("the question", lambda: next_question(gateway, "renewal.example.com"))
    finally:
        gateway.proxy.change = unchanged
    assert fault.done and 50 < next_question(gateway, "renewal.example.com") < 70


def test_a_handshake_that_stalls(gateway):
    name, met, over = "stalled.example.com", threading.Event(), threading.Event()

    def stall(connection):
        met.set()
        over.wait(60)

    gateway.manager.restart()  # it comes with a new connection
    gateway.proxy.greet = stall
    try:
        found = attempt(gateway, name)
        assert met.is_set() and found["State"] == "local" and "did not answer in time" in found["LastError"]
    finally:
        gateway.proxy.greet = lambda connection: None
        over.set()
    gateway.control.run("reissue", name)
    assert issued(gateway, name)["LostOrders"] == 0


def test_an_order_that_hangs_holds_up_no_revocation():
    with faulty_gateway() as box:
        name, begun, over, ended = "earlier.example.com", threading.Event(), threading.Event(), threading.Event()
        attempt(box, name)
        serial = issued(box, name)["Serial"]
        box.control.run("reissue", name)
        box.manager.set("daemon", workers=1)
        box.manager.restart()

        def hold(resource, ask):
            if resource == "finalize":
                begun.set()
                over.wait(30)
                ended.set()
            return ask()

        box.proxy.change = hold
        box.control.run("request", "--no-wait", "hanging.example.com")
        assert begun.wait(20)
        box.control.run("acme", "revoke", name, "--serial", serial, "--reason", "superseded")
        assert not ended.is_set(), "the only worker for orders was busy all the time"
        over.set()
        assert status_at(box.ca, serial)[0] == "Revoked"
