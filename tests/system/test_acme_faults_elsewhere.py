"""What an ACME server may do wrong beside the way to a certificate: where a client begins, and what it asks now and then."""

import email.utils
import itertools
import time
import urllib.parse

import pytest
from acme_faults import (ELSEWHERE, HTML, LATER, OUT_OF_ORDER, Fault, Row, attempt, body, both, cut, drop_json, endless_chunks,
                         faulty_gateway, header, issued, list_of, next_question, others, problem, prove, set_json, unchanged,
                         without_header)
from acme_proxy import AcmeProxy
from await_state import certificates_where, proved
from box import QUICK, WEB_INTERFACE
from box.acme import cached
from box.process import wait_until
from test_chains import name_of, root_of
from test_profiles import PROFILES
from test_revocation import status_at

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.fixture(scope="module")
def gateway():
    if not cached("pebble")[1]:
        pytest.fail("this needs Pebble 2.10 with profiles, which scripts/setup builds where Go is installed")
    with faulty_gateway({"PEBBLE_ALTERNATE_ROOTS": "1"}, {"profiles": PROFILES}) as box:
        yield box


# ---- Where a client begins

def restarted(gateway, _):
    """The directory is asked for, and a nonce."""
    gateway.manager.restart()


def without_account(gateway, _):
    gateway.control.run("acme", "deactivate", "pebble")


def lost(gateway, name, *more):
    """The answer to its newOrder."""
    gateway.proxy.change = Fault(Row("newOrder", cut("before the answer")))
    attempt(gateway, name, more)
    gateway.proxy.change = unchanged


def lost_of_three(gateway, name):
    lost(gateway, name, *others(name))


def pages_without_end(answer):
    directory = answer.headers["Link"].partition("<")[2].partition(">")[0]
    return body('{"orders": []}', Link=f'<{urllib.parse.urljoin(directory, "/list-orderz/1")}>;rel="next"')(answer)


FAILURES = {
    "500": (OUT_OF_ORDER, "500"), "503, later": (LATER, "503"), "rate limited": (problem(429, "rateLimited"), "rateLimited"),
    "redirected": (ELSEWHERE, "302"), "HTML": (HTML, "expected"),
    "cut before the answer": (cut("before the answer"), "127.0.0.1"), "cut in the headers": (cut("in the headers"), "127.0.0.1")}
TABLE = {
    **{f"{resource}: {what}": Row(resource, change, words, asked=what.startswith("cut"), before=before)
       for (resource, before), (what, (change, words)) in itertools.product(
           {"directory": restarted, "newNonce": restarted, "newAccount": without_account}.items(), FAILURES.items())
       if (resource, what) != ("newNonce", "rate limited")},
    "newNonce: rate limited": Row("newNonce", problem(429, "rateLimited"), "newNonce", asked=False, before=restarted),  # no body
    "directory: no newOrder": Row("directory", drop_json("newOrder"), "newOrder", before=restarted),
    "directory: newNonce without TLS": Row("directory", set_json(newNonce="http://127.0.0.1/nonce"), "newNonce",
                                           before=restarted),
    "directory: cut in the body": Row("directory", cut("in the body"), "127.0.0.1", before=restarted),
    "newNonce: none": Row("newNonce", without_header("Replay-Nonce"), "Replay-Nonce", before=restarted),
    "newNonce: malformed": Row("newNonce", header("Replay-Nonce", "not base64url!"), "Replay-Nonce", before=restarted),
    "newNonce: far too long": Row("newNonce", header("Replay-Nonce", "A" * 5000), "Replay-Nonce", before=restarted),
    "newNonce: of its own": Row("newNonce", header("Replay-Nonce", "A" * 22), before=restarted),
    "newAccount: cut before the answer, once": Row("newAccount", cut("before the answer"), "the CA has seen the request", times=1,
                                                   before=without_account),
    "newAccount: cut in the body": Row("newAccount", cut("in the body"), "127.0.0.1", before=without_account),
    "newAccount: no Location": Row("newAccount", without_header("Location"), "Location", before=without_account),
    "newAccount: Location without TLS": Row("newAccount", header("Location", "http://127.0.0.1/account"), "https",
                                            before=without_account),
    "newAccount: a bad nonce": Row("newAccount", problem(400, "badNonce"), asked=False, times=1, before=without_account),
    "newAccount: refused": Row("newAccount", problem(403, "unauthorized"), "unauthorized", asked=False, before=without_account),
    # The list of an account's orders: where it cannot be read, the order that was lost stays lost.
    **{f"orders: {what}": Row("orders", change, orders=2, lost=1, before=lost)
       for what, change in {"500": OUT_OF_ORDER, "HTML": HTML, "redirected": ELSEWHERE, "not there": problem(404, "malformed"),
                            "no list": drop_json("orders"), "pages without end": pages_without_end}.items()},
    **{f"orders: {what}": Row("orders", change, words, before=lost)
       for what, (change, words) in {
           "503, later": (LATER, "503"), "rate limited": (problem(429, "rateLimited"), "rateLimited"),
           "cut before the answer": (cut("before the answer"), "127.0.0.1"), "cut in the body": (cut("in the body"), "127.0.0.1"),
           "endless chunks": (endless_chunks, "more than")}.items()},
    "orders: the names in another order": Row("order", list_of("identifiers", lambda names: names[::-1]), before=lost_of_three),
    "newOrder: under another profile": Row("newOrder", set_json(profile="shortlived"), options=("--profile", "default"),
                                           shown={"AcmeProfile": "shortlived"}),
    "newOrder: a profile that is offered is refused": Row(
        "newOrder", problem(400, "invalidProfile"), asked=False, times=1, options=("--profile", "shortlived"),
        shown={"AcmeProfileReason": 'the CA refuses the profile "shortlived"'}),
    "newOrder: a profile that is offered and required is refused": Row(
        "newOrder", problem(400, "invalidProfile"), "the profile is required", asked=False,
        options=("--profile", "shortlived", "--profile-required"), shown={"AcmeProfile": "shortlived"}),
}


@pytest.mark.parametrize("fault", TABLE)
def test_one_thing_is_wrong(gateway, fault):
    prove(gateway, TABLE[fault], f"fault-{list(TABLE).index(fault)}.example.com")


@pytest.mark.parametrize("skew", [-HOUR, 0, HOUR])
def test_a_date_to_come_again_is_by_the_clock_of_the_ca(gateway, skew):
    name = f"skewed-{skew}.example.com".replace("--", "-")
    date = time.time() + skew
    gateway.proxy.change = fault = Fault(Row("newOrder", both(LATER, both(
        header("Date", email.utils.formatdate(date, usegmt=True)),
        header("Retry-After", email.utils.formatdate(date + HOUR, usegmt=True)))), asked=False))
    try:
        found = attempt(gateway, name)
    finally:
        gateway.proxy.change = unchanged
    assert fault.done and "503" in found["LastError"]
    assert HOUR - 5 < found["NextAttempt"] - found["LastAttempt"] < HOUR + 2 * MINUTE
    gateway.control.run("reissue", name)
    issued(gateway, name)


# ---- What is asked now and then

SUGGESTIONS = {  # and after how long the next question is due
    **{what: (change, False, pause) for what, (change, pause) in {
        "500": (OUT_OF_ORDER, MINUTE), "503, in an hour": (LATER, HOUR), "rate limited": (problem(429, "rateLimited"), MINUTE),
        "not there": (problem(404, "malformed"), 6 * HOUR), "not there, HTML": (body("no", 404, "text/html"), 6 * HOUR),
        "HTML": (HTML, 6 * HOUR), "redirected": (ELSEWHERE, 6 * HOUR)}.items()},
    **{what: (change, True, pause) for what, (change, pause) in {
        "as text": (header("Content-Type", "text/plain"), 6 * HOUR), "no window": (drop_json("suggestedWindow"), 6 * HOUR),
        "cut before the answer": (cut("before the answer"), 6 * HOUR), "cut in the body": (cut("in the body"), 6 * HOUR),
        "endless chunks": (endless_chunks, MINUTE), "again in a second": (header("Retry-After", "1"), MINUTE),
        "again at once": (header("Retry-After", "0"), MINUTE), "again in 100 years": (header("Retry-After", "3155760000"), DAY),
        "again in an age": (header("Retry-After", "9" * 30), 6 * HOUR)}.items()}}


@pytest.mark.parametrize("what", SUGGESTIONS)
def test_nothing_that_is_said_of_the_renewal_harms(gateway, what):
    change, asked, pause = SUGGESTIONS[what]
    name = f"renewal-{list(SUGGESTIONS).index(what)}.example.com"
    gateway.proxy.change = fault = Fault(Row("renewalInfo", change, asked=asked))
    try:
        attempt(gateway, name, options=("--profile", "default"))
        certificate = issued(gateway, name)
        wait_until("the question", lambda: next_question(gateway, name))
    finally:
        gateway.proxy.change = unchanged
    assert fault.done in (1, 2), "libcurl asks again where a connection that it had kept ends before the answer"
    assert pause - 10 < next_question(gateway, name) < pause + 10
    assert certificate["NotBefore"] + 30 * DAY < certificate["RenewAt"] < certificate["NotAfter"]


ROLLOVERS = {"conflict": (problem(409, "malformed"), "malformed"), "500": (OUT_OF_ORDER, "500"), "503": (LATER, "503"),
             "refused": (problem(403, "unauthorized"), "unauthorized")}


@pytest.mark.parametrize("what", ROLLOVERS)
def test_a_key_that_the_ca_does_not_change(gateway, what):
    change, words = ROLLOVERS[what]
    account, = gateway.control.json("acme", "list")
    gateway.proxy.change = fault = Fault(Row("keyChange", change, asked=False))
    try:
        refused = gateway.control.run("acme", "rollover", "pebble", check=False)
    finally:
        gateway.proxy.change = unchanged
    assert fault.done == 1 and refused.returncode != 0 and words in refused.stdout
    name = f"rollover-{what}.example.com"
    attempt(gateway, name)
    issued(gateway, name)
    gateway.control.run("acme", "rollover", "pebble")
    assert gateway.control.json("acme", "list")[0]["Account"] == account["Account"]


def test_a_key_whose_change_is_answered_by_somebody_else(make_box):
    """By a page of a proxy, say, that the CA knows nothing of: the account goes on."""
    box = make_box(tpm=False, pebble_environment=QUICK)
    proxy = AcmeProxy(box.folder / "proxy", box.ca)
    try:
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
        box.start()
        proved(box, "acme")
        proxy.change = fault = Fault(Row("keyChange", HTML, asked=False))
        refused = box.control.run("acme", "rollover", "pebble", check=False)
        proxy.change = unchanged
        assert fault.done and refused.returncode != 0
        box.control.run("reissue", WEB_INTERFACE)
    finally:
        proxy.stop()


REVOCATIONS = {
    "500": (OUT_OF_ORDER, False, "due"), "503": (LATER, False, "due"), "cut": (cut("before the answer"), True, "due"),
    "html": (HTML, False, "due"), "revoked": (problem(400, "alreadyRevoked"), False, "done"),
    "refused": (problem(403, "unauthorized"), False, "refused")}


@pytest.mark.parametrize("what", REVOCATIONS)
def test_a_revocation_that_fails(gateway, what):
    """What was not answered, or by a server that is out of order, is asked for again."""
    change, asked, state = REVOCATIONS[what]
    name = f"revoked-{what}.example.com"
    attempt(gateway, name)
    serial = issued(gateway, name)["Serial"]

    def revocation(words):
        return certificates_where(gateway, lambda it: it["Revocation"].startswith(words), words, names=[name], limit=10)

    gateway.proxy.change = fault = Fault(Row("revokeCert", change, asked=asked))
    try:
        gateway.control.run("acme", "revoke", name, "--reason", "superseded", check=False)
        wait_until("the request", lambda: fault.done)
        revocation(f"{state}: {serial}")
    finally:
        gateway.proxy.change = unchanged
    if state == "due":
        gateway.control.run("acme", "revoke", name, "--now")
        revocation(f"done: {serial}")
        assert status_at(gateway.ca, serial)[0] == "Revoked"
    assert gateway.control.certificates()[name]["State"] == "acme"


@pytest.fixture(scope="module")
def preferring(gateway):
    """One service wants the other chain."""
    gateway.manager.drop_in("web-interface", "10-chain", preferred_chain=name_of(root_of(gateway, 1)))
    gateway.manager.restart()
    return gateway


ALTERNATES = {"500": OUT_OF_ORDER, "HTML": HTML, "not there": problem(404, "malformed"), "cut": cut("in the body"),
              "endless": endless_chunks, "of another type": header("Content-Type", "text/plain")}


@pytest.mark.parametrize("what", ALTERNATES)
def test_another_chain_that_cannot_be_had_is_done_without(preferring, what):
    before = preferring.control.certificates()[WEB_INTERFACE]["Sha256"]
    preferring.proxy.change = fault = Fault(Row("alternate", ALTERNATES[what]))
    try:
        preferring.control.run("reissue", WEB_INTERFACE)
        found = certificates_where(preferring, lambda it: it["Sha256"] != before and it["Proof"] == "proved", "the next one",
                                   names=[WEB_INTERFACE])[WEB_INTERFACE]
    finally:
        preferring.proxy.change = unchanged
    assert fault.done and "another chain cannot be had: " in found["ChainReason"]
    assert preferring.look(WEB_INTERFACE).verified
