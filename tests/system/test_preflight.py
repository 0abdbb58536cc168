"""What stands in the way of a name is found out before the CA is asked, at real name servers."""

import contextlib

import pytest
from acme_proxy import AcmeProxy
from await_state import certificates_where
from box import QUICK
from box.process import wait_until

ZONE = "preflight.test"
HERE, AWAY = "127.0.0.1", "127.0.0.9"


@pytest.fixture
def asking(make_box):
    """A box that asks the name servers first and is at 127.0.0.1, at a CA whose CAA identity is ca.test."""
    with contextlib.ExitStack() as stack:
        def make(records):
            box = make_box(pebble_environment=QUICK, zone=ZONE, sites=False)
            box.knot.change(records)

            def identified(resource, ask):
                answer = ask()
                if resource == "directory":
                    directory = answer.json
                    directory["meta"]["caaIdentities"] = ["ca.test"]
                    answer.json = directory
                return answer

            proxy = AcmeProxy(box.folder / "proxy", box.ca, identified)
            stack.callback(proxy.stop)
            box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
            text = box.manager.configuration.read_text()
            box.manager.configuration.write_text(text.replace("[acme]\n", (
                "[acme]\npreflight = true\n"
                f'public_addresses = ["{HERE}"]\nresolver = "127.0.0.1:{box.knot.port}"\n'), 1))
            box.manager.start()
            return box

        yield make


def blocked(box, name, words):
    """The name is not asked for, and the reason is shown."""
    box.control.run("request", name)
    found = certificates_where(box, lambda it: "no order was placed" in it["LastError"], "blocked order", [name])[name]
    assert words in found["LastError"], found["LastError"]
    assert found["State"] == "local", "it is served all the same"
    assert box.ca.count("POST /order-plz") == 0


def mended(box, name, records):
    """A manual retry asks at once."""
    box.knot.change(records)
    box.control.run("reissue", name)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", [name])
    assert box.ca.count("POST /order-plz") == 1


@pytest.mark.parametrize("label, wrong, right, words", [
    ("address", [f"address A {AWAY}"], [f"address A {HERE}"], f"leads to {AWAY}, which is not this box"),
    ("ip6", [f"ip6 A {HERE}", "ip6 AAAA 2001:db8::9"], [f"ip6 A {HERE}"], "its AAAA record to 2001:db8::9"),
    ("caa", ['caa CAA 0 issue "other.test"', f"caa A {HERE}"], ['caa CAA 0 issue "ca.test"', f"caa A {HERE}"],
     f"the CAA records of caa.{ZONE} allow only other.test"),
    ("alias", ["alias CNAME nobody.ns1"], ["alias CNAME here", f"here A {HERE}"], "has no address"),
])
def test_no_order_for_what_would_fail_and_one_when_it_is_mended(asking, label, wrong, right, words):
    box = asking(wrong)
    blocked(box, f"{label}.{ZONE}", words)
    mended(box, f"{label}.{ZONE}", right)


def test_a_resolver_that_is_away_holds_nothing_up(asking):
    box = asking([f"late A {AWAY}"])
    box.knot.stop()
    box.control.run("request", f"late.{ZONE}")
    wait_until("a newOrder", lambda: box.ca.count("POST /order-plz") > 0)
