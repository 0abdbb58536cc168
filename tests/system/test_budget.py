"""The limits of a CA ([[acme.ca.limit]]), and what it has said to leave alone: what it is known to refuse is not sent,
whatever happens to the box."""

import json
import threading

import pytest
from acme_proxy import AcmeProxy, Answer
from await_state import certificates_where, on_bus, proved
from box import QUICK, Box, namespace
from box.process import wait_until

NEW_ORDER = "POST /order-plz"
NAME = namespace.NAMES[0]
MONTH = 30 * 24 * 3600


def behind_proxy(box, settings=""):
    """Started, with a CA that is asked through `box.proxy`. `settings`: more of the configuration file."""
    box.proxy = AcmeProxy(box.folder / "proxy", box.ca)
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": box.proxy})
    with open(box.manager.configuration, "a", encoding="utf-8") as configuration:
        configuration.write(settings)
    try:
        box.start()
        proved(box, "acme")
        yield box
    finally:
        box.proxy.stop()


@pytest.fixture(scope="module")
def gateway():
    """Its CA allows one order more than its certificates take, and is asked through a proxy."""
    with Box(tpm=False, pebble_environment=QUICK) as box:
        yield from behind_proxy(box, f'[[acme.ca.limit]]\nwhat = "orders"\ncount = {len(namespace.NAMES) + 1}\n'
                                     f"window_seconds = {MONTH}\n")


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


def test_use_and_forecast_are_shown_to_everybody(gateway):
    allowed = len(namespace.NAMES) + 1
    (ca,) = gateway.visitor.json("acme", "budget")
    assert ca["Name"] == "pebble" and ca["LimitsKnown"] and ca["Pauses"] == []
    (orders,) = ca["Buckets"]
    assert (orders["Limit"], orders["Count"], orders["Used"], orders["Reserve"]) == ("orders", allowed, allowed, 0)
    assert orders["Account"].startswith("https://127.0.0.1") and orders["Subject"] == ""
    waiting = gateway.control.certificates()["new.example.com"]["NextAttempt"]
    assert orders["Planned"] == 1 and orders["UsedUpFrom"] == waiting < orders["NextAllowed"], "it is looked at within a week"
    shown = gateway.visitor.run("acme", "budget").stdout
    assert f"{allowed} of {allowed} in 30 days" in shown, shown
    assert gateway.control.run("acme", "budget", "--ca", "nobody", check=False).returncode == 6


PAGE = "https://portal.letsencrypt.example/sfe/v1/unpause?jwt=" + "eyJhbGciOiJIUzI1NiJ9." + "A" * 700
PAUSED = "paused.example.com"


def refusing(status, detail, asked, **headers):
    """Every newOrder, as Boulder does; each is put into `asked`."""
    document = json.dumps({"type": "urn:ietf:params:acme:error:rateLimited", "detail": detail, "status": status}).encode()

    def change(resource, ask):
        if resource != "newOrder":
            return ask()
        asked.append(resource)
        return Answer(status, {"Content-Type": "application/problem+json", "Content-Length": str(len(document)),
                               "Link": '<https://letsencrypt.org/docs/rate-limits>;rel="help"',
                               **{name.replace("_", "-"): value for name, value in headers.items()}}, document)

    return change


@pytest.fixture
def proxied(make_box):
    box = make_box(pebble_environment=QUICK, tpm=False)
    yield from behind_proxy(box)


def test_a_paused_name_is_left_alone_and_its_page_is_shown(proxied):
    asked = []
    proxied.proxy.change = refusing(429, "Your account is temporarily prevented from requesting certificates for "
                                         f"{PAUSED} and possibly others. Please visit: {PAGE}", asked)
    proxied.control.run("request", PAUSED)
    found = certificates_where(proxied, lambda it: it["LastError"] and it["Pause"], "end of the attempt", [PAUSED])[PAUSED]
    assert found["State"] == "local" and f"to end the pause visit {PAGE} " in found["Pause"]
    assert found["NextAttempt"] > found["LastAttempt"] + 23 * 3600
    assert PAGE in proxied.visitor.run("show", PAUSED).stdout
    (pause,) = proxied.visitor.json("acme", "budget")[0]["Pauses"]
    assert (pause["Subject"], pause["Url"]) == (PAUSED, PAGE) and "temporarily prevented" in pause["Reason"]
    assert f"no order for {PAUSED} until " in proxied.visitor.run("acme", "budget").stdout
    proxied.manager.restart()
    proxied.proxy.change = lambda resource, ask: ask()
    proxied.control.run("request", "other.example.com")
    certificates_where(proxied, lambda it: it["State"] == "acme", "certificate of a name that is not meant",
                       ["other.example.com"])
    assert proxied.control.certificates()[PAUSED]["State"] == "local" and len(asked) == 1
    proxied.control.run("reissue", PAUSED)
    found = certificates_where(proxied, lambda it: it["State"] == "acme", "end of the pause by hand", [PAUSED])[PAUSED]
    assert found["Pause"] == "" and proxied.control.json("acme", "budget")[0]["Pauses"] == []
    assert "jwt" not in proxied.manager.log.read_text(), "who reads the log could end the pause"


def test_what_one_order_is_told_holds_for_all(proxied):
    asked = []
    proxied.proxy.change = refusing(429, "too many new orders (300) from this account in the last 3h0m0s, retry after "
                                         "2030-01-01 00:00:00 UTC", asked, Retry_After="3600")
    proxied.control.run("request", "first.example.com")
    certificates_where(proxied, lambda it: it["LastError"], "refusal", ["first.example.com"])
    names = [f"n{number}.example.com" for number in range(12)]
    for name in names:
        proxied.control.run("request", "--no-wait", name)
    found = certificates_where(proxied, lambda it: it["LastError"], "reason to wait", names)
    assert len(asked) == 1
    for name in names:
        assert "too many new orders (300)" in found[name]["LastError"] and "; see https://letsencrypt.org" in found[name]["LastError"]
        assert found[name]["State"] == "local" and found[name]["Failures"] == 0
        assert found[name]["NextAttempt"] > found["first.example.com"]["LastAttempt"] + 3500
        assert found[name]["Pause"].startswith("pebble asks to wait until ")
    assert len({found[name]["NextAttempt"] for name in names}) > 6, "nor do they come all at once then"
    assert "  ! no order until " in proxied.control.run("acme", "budget").stdout
