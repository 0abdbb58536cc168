"""The limits of a CA ([[acme.ca.limit]]): what it is known to refuse is not sent, whatever happens to the box."""

import threading

import pytest
from acme_proxy import AcmeProxy
from await_state import certificates_where, on_bus, proved
from box import QUICK, Box, namespace
from box.process import wait_until

NEW_ORDER = "POST /order-plz"
NAME = namespace.NAMES[0]
MONTH = 30 * 24 * 3600


@pytest.fixture(scope="module")
def gateway():
    """Its CA allows one order more than its certificates take, and is asked through a proxy."""
    with Box(tpm=False, pebble_environment=QUICK) as box:
        box.proxy = AcmeProxy(box.folder / "proxy", box.ca)
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": box.proxy})
        with open(box.manager.configuration, "a", encoding="utf-8") as configuration:
            configuration.write(f'[[acme.ca.limit]]\nwhat = "orders"\ncount = {len(namespace.NAMES) + 1}\n'
                                f"window_seconds = {MONTH}\n")
        try:
            box.start()
            proved(box, "acme")
            yield box
        finally:
            box.proxy.stop()


def refused(box):
    """Asked for by hand, and not sent to the CA."""
    before = box.control.certificates()[NAME]
    asked = box.ca.count(NEW_ORDER)
    reissue = box.control.run("reissue", NAME, check=False)
    found = box.control.certificates()[NAME]
    allowed = f"{len(namespace.NAMES) + 1} orders of one account in 30 days, of which {len(namespace.NAMES) + 1} are used"
    assert reissue.returncode != 0 and allowed in found["LastError"]
    assert found["LastError"] in reissue.stdout and found["Failures"] == 0 and found["State"] == "acme"
    assert found["Sha256"] == before["Sha256"] and found["Proof"] == "proved"
    assert found["NextAttempt"] > found["LastAttempt"] + 3600
    return box.ca.count(NEW_ORDER) == asked


def test_a_kill_while_the_order_is_sent_forgets_nothing(gateway):
    """The last order that is allowed: the CA has it, and its answer never comes."""
    asked = gateway.ca.count(NEW_ORDER)
    taken, go_on = threading.Event(), threading.Event()

    def hold(resource, ask):
        answer = ask()
        if resource == "newOrder":
            taken.set()
            go_on.wait(60)
        return answer

    gateway.proxy.change = hold
    gateway.control.run("reissue", "--no-wait", NAME)
    assert taken.wait(60)
    gateway.manager.process.kill()
    gateway.manager.process.child.wait()
    gateway.proxy.change = lambda resource, ask: ask()
    go_on.set()
    gateway.manager.start()
    on_bus(gateway)
    wait_until("end of the order that was under way",
               lambda: not gateway.control.certificates()[NAME]["Activity"]
               and gateway.control.certificates()[NAME]["State"] == "acme", 60)
    assert gateway.ca.count(NEW_ORDER) == asked + 1, "it was sent once, and went on"
    assert refused(gateway)


def test_no_restart_gives_anything_back(gateway):
    gateway.manager.restart()
    proved(gateway, "acme")
    assert refused(gateway)
    gateway.manager.process.kill()
    gateway.manager.process.child.wait()
    gateway.manager.start()
    assert refused(gateway)


def test_a_name_that_waits_is_served_by_the_box_itself(gateway):
    asked = gateway.ca.count(NEW_ORDER)
    gateway.control.run("request", "new.example.com", check=False)
    found = certificates_where(gateway, lambda it: it["LastError"] != "", "reason to wait",
                               names=["new.example.com"])["new.example.com"]
    assert found["State"] == "local" and f"not asked, since the CA allows {len(namespace.NAMES) + 1} orders" in found["LastError"]
    assert gateway.ca.count(NEW_ORDER) == asked
