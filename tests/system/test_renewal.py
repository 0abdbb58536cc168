"""Renewal as the CA suggests it (RFC 9773), by Pebble 2.10, whose answer can be set for each certificate."""

import collections
import json
import ssl
import urllib.request

import pytest
from acme_proxy import AcmeProxy
from await_state import certificates_where, proved
from box import QUICK, WEB_INTERFACE, namespace
from box.acme import cached
from box.process import wait_until
from box.tls import CERTIFICATE
from cryptography import x509
from test_backup import await_state_of, with_passphrase

REASON = "https://ca.example/incident"


def window(start, end):
    return json.dumps({"suggestedWindow": {"start": start, "end": end}, "explanationURL": REASON})


class Suggestions:
    """For an AcmeProxy: what the CA says of the renewal of a certificate is set before it is asked the first time.
    `suggest(leaf)` returns that, or None where Pebble's own answer is good."""

    def __init__(self, pebble, suggest):
        self.pebble, self.suggest = pebble, suggest
        self.leaves, self.replaced, self.asked = [], [], 0

    def __call__(self, resource, ask):
        if resource == "renewalInfo":
            self.asked += 1
        answer = ask()
        if resource == "newOrder" and answer.status == 201:
            self.replaced.append(answer.json.get("replaces", ""))
        if resource == "certificate":
            leaf = CERTIFICATE.findall(answer.body.decode())[0]
            if leaf not in self.leaves:
                self.leaves.append(leaf)
                if (wish := self.suggest(leaf)) is not None:
                    self.set(leaf, wish)
        return answer

    def set(self, leaf, wish):
        context = ssl.create_default_context(cafile=str(self.pebble.trust_file))
        body = json.dumps({"certificate": leaf, "ariResponse": wish}).encode()
        urllib.request.urlopen(f"https://127.0.0.1:{self.pebble.management}/set-renewal-info/", body, 10,
                               context=context).close()


@pytest.fixture
def suggesting(make_box):
    """A box at a Pebble of which each new certificate is first shown to the test."""
    if not cached("pebble")[1]:
        pytest.fail("this needs Pebble 2.10 with /set-renewal-info/, which scripts/setup builds where Go is installed")
    proxies = []

    def make(suggest, kind=Suggestions):
        box = make_box(pebble_environment=QUICK)
        suggestions = kind(box.ca, suggest)
        proxies.append(AcmeProxy(box.folder / "proxy", box.ca, suggestions))
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxies[-1]})
        box.start()
        return box, suggestions

    yield make
    for proxy in proxies:
        proxy.stop()


class Refusal(Suggestions):
    """Each certificate is due at once, and the CA takes no order that replaces one: what it made of it stays there."""

    problem = ""

    def __call__(self, resource, ask):
        answer = super().__call__(resource, ask)
        if resource == "newOrder" and answer.status == 201 and answer.json.get("replaces"):
            answer.status = 409 if self.problem == "alreadyReplaced" else 400
            answer.headers["Content-Type"] = "application/problem+json"
            answer.json = {"type": f"urn:ietf:params:acme:error:{self.problem}", "detail": "not that one"}
        return answer


def name_of(leaf):
    names = x509.load_pem_x509_certificate(leaf.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return names.value.get_values_for_type(x509.DNSName)[0]


def test_what_the_ca_wants_renewed_is_renewed_at_once_and_replaces_it(suggesting):
    shown = collections.Counter()

    def each_first(leaf):
        shown[name_of(leaf)] += 1
        return window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z") if shown[name_of(leaf)] == 1 else None

    box, suggestions = suggesting(each_first)
    proved(box, "acme")
    wait_until("the second certificate of each", lambda: shown.total() == 2 * len(namespace.NAMES))
    certificates = proved(box, "acme")
    assert all(box.look(name).verified for name in namespace.NAMES)
    replaced = collections.Counter(suggestions.replaced)
    assert replaced.pop("") == len(namespace.NAMES), "there was nothing of this CA before"
    assert len(replaced) == len(namespace.NAMES), "each of them once"
    # Pebble's own window for the second: a third of its lifetime before its end.
    wait_until("its answer for the second", lambda: suggestions.asked >= 2 * len(namespace.NAMES))
    assert all(it["RenewAt"] > it["NotBefore"] + 30 * 86400 for it in certificates.values())
    assert box.ca.count("Added order") == 2 * len(namespace.NAMES)


def test_the_reason_of_the_ca_is_shown(suggesting):
    box, _ = suggesting(lambda leaf: window("2126-01-01T00:00:00Z", "2126-01-02T00:00:00Z"))
    certificate = certificates_where(box, lambda it: it["RenewalExplanation"], "reason of the CA")[WEB_INTERFACE]
    assert certificate["RenewalExplanation"] == REASON
    assert REASON in box.control.run("show", WEB_INTERFACE).stdout
    assert certificate["RenewAt"] < certificate["NotAfter"], "whatever it suggests"


@pytest.mark.parametrize("answer", ["no JSON at all", "{}", window("2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z")])
def test_an_answer_that_is_none_changes_nothing(suggesting, answer):
    box, suggestions = suggesting(lambda leaf: answer)
    proved(box, "acme")
    wait_until("the questions", lambda: suggestions.asked == len(namespace.NAMES))
    certificates = proved(box, "acme")
    assert all(it["RenewAt"] > it["NotBefore"] + 30 * 86400 for it in certificates.values())
    assert box.ca.count("Added order") == len(namespace.NAMES)


@pytest.mark.parametrize("problem, orders", [("alreadyReplaced", 2), ("unauthorized", 3), ("malformed", 3)])
def test_what_the_ca_does_not_let_replace_is_renewed_all_the_same(suggesting, problem, orders):
    shown = collections.Counter()

    def each_first(leaf):
        shown[name_of(leaf)] += 1
        return window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z") if shown[name_of(leaf)] == 1 else None

    box, refusal = suggesting(each_first, Refusal)
    refusal.problem = problem
    wait_until("the second certificate of each", lambda: shown.total() == 2 * len(namespace.NAMES))
    proved(box, "acme")
    assert all(box.look(name).verified for name in namespace.NAMES)
    # The first of each, the one that was refused, and one without, where that was not to be had from the CA.
    assert box.ca.count("Added order") == orders * len(namespace.NAMES)


def test_what_was_issued_since_a_backup_is_recovered_from_the_ca(make_box, tmp_path):
    """It has replaced the certificate of the backup already, says so, and has another one for a key that is still there."""
    if not cached("pebble")[1]:
        pytest.fail("this needs Pebble 2.10, which scripts/setup builds where Go is installed")
    box = make_box(pebble_environment=QUICK, key_policy="file")
    box.start()
    before = proved(box, "acme")[WEB_INTERFACE]["Sha256"]
    assert with_passphrase(box, "backup", "--output", tmp_path / "backup").returncode == 0
    box.control.run("reissue", WEB_INTERFACE)
    renewed = certificates_where(box, lambda it: it["Sha256"] != before and it["Proof"] == "proved", "the renewed one",
                                 names=[WEB_INTERFACE])[WEB_INTERFACE]["Sha256"]
    orders = box.ca.count("Added order")
    assert with_passphrase(box, "restore", tmp_path / "backup").returncode == 0
    await_state_of(box, before)
    box.control.run("reissue", WEB_INTERFACE)
    certificates_where(box, lambda it: it["Sha256"] == renewed and it["Proof"] == "proved", "the renewed one again",
                       names=[WEB_INTERFACE])
    assert box.ca.count("Added order") == orders, "no other one was ordered"
    assert box.look(WEB_INTERFACE).verified
