"""Two CAs in order of preference: when the first is away or asks to wait, the second issues, and why is shown; a
restart changes nothing about whose turn it is, and the next certificate comes from the first again."""

import threading

import pytest
from acme_faults import problem
from acme_proxy import AcmeProxy
from await_state import attempts_are_due, certificates_where
from box import QUICK
from box.acme import Pebble

NAME, OTHER = "vpn.example.com", "other.example.com"


class Held(AcmeProxy):
    """It keeps the first authorization back until `go_on` is set."""

    def __init__(self, folder, server):
        self.asked, self.go_on = threading.Event(), threading.Event()
        super().__init__(folder, server, self.hold)

    def hold(self, resource, ask):
        if resource == "authorization":
            self.asked.set()
            self.go_on.wait(60)
        return ask()


@pytest.fixture
def two(make_box):
    """`box.ca` is asked through `box.first`, and `box.second` through `box.held`."""
    box = make_box(tpm=False, pebble_environment=QUICK, sites=False)
    folder = box.folder / "second"
    (folder / "log").mkdir(parents=True)
    box.second = Pebble(folder, box.manager.challenge_port, QUICK)
    box.first, box.held = AcmeProxy(box.folder / "proxy", box.ca), Held(folder / "proxy", box.second)
    for part in (box.second, box.first, box.held):
        box.add(part)
    box.manager.configure(box.keyd.socket, box.provider, {"first": box.first, "second": box.held})
    box.manager.start()
    return box


def orders(box):
    return [ca.count("POST /order-plz") for ca in (box.ca, box.second)]


def shown(box, condition, what):
    return certificates_where(box, condition, what, names=[NAME])[NAME]


def failed(box, failures):
    found = shown(box, lambda it: it["Failures"] == failures and not it["Activity"], f"failure number {failures}")
    assert found["LastError"].startswith("first: ") and found["State"] == "local", found
    assert box.second.count("GET /dir") == 0, "it is the first one's turn"


def the_second_issues_and_then_the_first_again(box):
    assert box.held.asked.wait(20)
    why = "a local certificate is in use; one is ordered from second, since the attempts at first failed"
    shown(box, lambda it: it["Reason"] == why, "reason")
    before = orders(box)
    box.manager.process.kill()
    box.manager.process.child.wait()
    box.held.go_on.set()
    box.manager.start()
    by_second = shown(box, lambda it: it["State"] == "acme", "certificate of the second")
    assert orders(box) == before, "the order at the second went on"
    assert not by_second["LastError"]

    box.control.run("reissue", NAME)
    by_first = shown(box, lambda it: it["Serial"] != by_second["Serial"], "certificate of the first")
    assert by_first["State"] == "acme" and by_first["Issuer"] != by_second["Issuer"]
    assert orders(box) == [before[0] + 1, before[1]]


def test_the_first_is_away(two):
    two.ca.stop_answering()
    two.control.run("request", NAME)
    failed(two, 1)
    two.manager.restart()
    attempts_are_due(two)
    failed(two, 2)
    two.manager.restart()
    attempts_are_due(two)
    two.ca.start()
    the_second_issues_and_then_the_first_again(two)


def test_the_first_asks_to_wait_for_long(two):
    refuse = problem(429, "rateLimited", Retry_After="7200")
    two.first.change = lambda resource, ask: refuse(ask()) if resource == "newAccount" else ask()
    two.control.run("request", NAME)
    failed(two, 2)  # as many as lead to the next one
    two.first.change = lambda resource, ask: ask()
    attempts_are_due(two)
    the_second_issues_and_then_the_first_again(two)


def allow_one_order_at_the_first(two):
    settings, begin_of_second = two.manager.configuration, '\n[[acme.ca]]\nname = "second"'
    settings.write_text(settings.read_text().replace(begin_of_second, (
        f'\n[[acme.ca.limit]]\nwhat = "orders"\ncount = 1\nwindow_seconds = 86400\n{begin_of_second}')))
    two.manager.restart()


def test_the_limit_of_the_first_is_used_up(two):
    """It was passed over, and a restart does not lead back to it while the order at the next one is under way."""
    settings = two.manager.configuration
    unlimited = settings.read_text()
    allow_one_order_at_the_first(two)
    two.control.run("request", OTHER)
    certificates_where(two, lambda it: it["State"] == "acme", "certificate of the first", names=[OTHER])
    two.control.run("request", NAME)
    assert two.held.asked.wait(20)
    why = "a local certificate is in use; one is ordered from second; first: not asked, since the CA allows 1 order"
    shown(two, lambda it: it["Reason"].startswith(why), "reason")
    two.manager.process.kill()
    two.manager.process.child.wait()
    settings.write_text(unlimited)
    two.held.go_on.set()
    two.manager.start()
    shown(two, lambda it: it["State"] == "acme", "certificate of the second")
    assert orders(two) == [1, 1]


def test_of_two_orders_for_the_last_place_at_the_first_one_goes_to_the_second(two):
    """Both have chosen the first when one of them gets that place."""
    allow_one_order_at_the_first(two)
    two.held.go_on.set()
    asked, go_on = threading.Event(), threading.Event()

    def hold(resource, ask):
        if resource == "newAccount":
            asked.set()
            go_on.wait(60)
        return ask()

    two.first.change = hold
    for name in (NAME, OTHER):
        two.control.run("request", "--no-wait", name)
    assert asked.wait(20)
    certificates_where(two, lambda it: it["Activity"] == "making the key", "chosen CA", names=[NAME, OTHER])
    go_on.set()
    certificates_where(two, lambda it: it["State"] == "acme", "certificates", names=[NAME, OTHER])
    assert orders(two) == [1, 1]
