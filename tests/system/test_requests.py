"""What a certificate costs its CA: the fewest requests that RFC 8555 allows, and no poll before its time."""

import collections
import time

import pytest
from acme_proxy import AcmeProxy
from await_state import certificates_where
from box import QUICK

MOST_POLLS = 12  # the waits between them begin with 10 ms and double


class Requests:
    """For an AcmeProxy: what the server is asked for, and when. `change(resource, number, answer)` may change the
    answer to the request of this number for a resource, from 1."""

    def __init__(self, change=lambda resource, number, answer: answer):
        self.change, self.times = change, collections.defaultdict(list)

    def __call__(self, resource, ask):
        self.times[resource].append(time.monotonic())
        return self.change(resource, len(self.times[resource]), ask())

    def count(self):
        """Without those about renewal, which come when all is done."""
        return {resource: len(times) for resource, times in self.times.items() if resource != "renewalInfo"}


@pytest.fixture
def watched(make_box):
    """A box with an account at a CA that is asked through the proxy."""
    def make(requests, reuse):
        box = make_box(tpm=False, pebble_environment={**QUICK, "PEBBLE_AUTHZREUSE": reuse},
                       pebble_arguments=["-strict"], sites=False)
        proxy = AcmeProxy(box.folder / "proxy", box.ca)
        box.add(proxy)
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
        box.manager.start()
        issued(box, "first.example.com")
        proxy.change = requests
        return box

    return make


def issued(box, *names):
    box.control.run("request", *names)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", [names[0]])


def test_a_certificate_takes_one_request_of_each_kind_and_its_polls(watched):
    requests = Requests()
    issued(watched(requests, reuse="0"), "vpn.example.com")
    count = requests.count()
    first_look = 1
    assert first_look < count.pop("authorization") <= first_look + MOST_POLLS
    assert count.pop("order") <= MOST_POLLS
    assert count == {"newOrder": 1, "challenge": 1, "finalize": 1, "certificate": 1}


def test_what_is_proved_already_is_not_proved_again(watched):
    requests = Requests()
    box = watched(requests, reuse="100")
    box.control.run("reissue", "first.example.com")
    count = requests.count()
    assert count.pop("order") <= MOST_POLLS
    assert count == {"newOrder": 1, "finalize": 1, "certificate": 1}


# Which answers say that it takes longer, and for how many seconds to wait.
SLOW = {("challenge", 1): ("pending", 1), ("authorization", 2): ("pending", 3),
        ("finalize", 1): ("processing", 1), ("order", 1): ("processing", 3)}


def test_polls_come_no_earlier_than_the_ca_says(watched):
    def ask_to_wait(resource, number, answer):
        if (resource, number) in SLOW:
            status, seconds = SLOW[resource, number]
            answer.headers["Retry-After"] = str(seconds)
            answer.json = {**answer.json, "status": status}
        return answer

    requests = Requests(ask_to_wait)
    issued(watched(requests, reuse="0"), "vpn.example.com")
    times = requests.times
    polls = {("challenge", 1): times["authorization"][1], ("authorization", 2): times["authorization"][2],
             ("finalize", 1): times["order"][0], ("order", 1): times["order"][1]}
    for (resource, number), (_, seconds) in SLOW.items():
        waited = polls[resource, number] - times[resource][number - 1]
        assert waited >= seconds, f"after the answer to {resource}"
