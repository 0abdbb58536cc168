"""What an ACME server may do wrong, fault by fault, each with what must come of it: a proxy before a real Pebble breaks one
thing of what passes."""

import dataclasses
import datetime
import itertools
import typing

import pytest
from acme_proxy import AcmeProxy, Answer
from await_state import certificates_where, proved
from box import QUICK, Box, namespace
from box.process import wait_until
from box.tls import CERTIFICATE
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NEW_ORDER = "Added order"  # to what Pebble keeps: a request that it refuses is none


# ---- What is done to an answer

def cut(share):
    """The connection ends within the answer: `share` of the head has gone out, beyond 1 that of the body."""

    def change(answer):
        head, body = len(answer.head()), len(answer.body)
        answer.sent = int(head * share) if share <= 1 else head + int(body * (share - 1))
        return answer

    return change


def set_json(**values):
    def change(answer):
        answer.json = {**answer.json, **values}
        return answer

    return change


def drop_json(key):
    def change(answer):
        answer.json = {name: value for name, value in answer.json.items() if name != key}
        return answer

    return change


def header(name, value):
    def change(answer):
        answer.headers[name] = value
        return answer

    return change


def without_header(name):
    def change(answer):
        del answer.headers[name]
        return answer

    return change


def challenges(edit):
    def change(answer):
        answer.json = {**answer.json, "challenges": edit(answer.json["challenges"])}
        return answer

    return change


def length(difference):
    def change(answer):
        answer.headers["Content-Length"] = str(len(answer.body) + difference)
        if difference > 0:
            answer.sent = len(answer.head()) + len(answer.body)
        return answer

    return change


def body(text, status=200, content_type="application/json", **headers):
    """In the place of what the server said."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: Answer(status, {**answer.headers, "Content-Type": content_type, "Content-Length": str(len(text)),
                                          **headers}, text.encode())


def problem(status, kind, **headers):
    return body(f'{{"type": "urn:ietf:params:acme:error:{kind}", "detail": "the test says {kind}"}}', status,
                "application/problem+json", **headers)


def chain(edit):
    """Of the certificates as PEM blocks."""

    def change(answer):
        answer.body = "".join(edit(CERTIFICATE.findall(answer.body.decode()))).encode()
        answer.headers["Content-Length"] = str(len(answer.body))
        return answer

    return change


OTHER_CA, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
OTHER_CA_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another CA")])


def by_other_ca(subject, key, begin, end, *extensions):
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(OTHER_CA_NAME).public_key(key)
               .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=begin))
               .not_valid_after(now + datetime.timedelta(days=end)))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(OTHER_CA, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


OTHER_ROOT = by_other_ca(OTHER_CA_NAME, OTHER_CA.public_key(), -90, 90, x509.BasicConstraints(True, None))


def forged(names=None, key=None, begin=-1, end=30):
    """Another CA's chain; what is not given is as in the real leaf."""

    def change(pem):
        real = x509.load_pem_x509_certificate(pem[0].encode())
        meant = (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]) if names else
                 real.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        return [by_other_ca(x509.Name([]), key or real.public_key(), begin, end, meant), OTHER_ROOT]

    return chain(change)


def unchanged(resource, ask):
    return ask()


def unlisted(resource, ask):
    """The server keeps no list of orders."""
    return drop_json("orders")(ask()) if resource.startswith("/my-account/") else ask()


# ---- What must come of it

@dataclasses.dataclass
class Row:
    """Without `words` the certificate comes in spite of the fault. With them the local one stays, the words are said, and
    once the fault is over another attempt brings it. `orders`: how many newOrder the server sees in all. `asked`: it hears
    of the request that is answered wrongly. `times`: so often; 0: always. `besides`: what else passes, also afterwards."""

    resource: str
    change: typing.Callable
    words: str = ""
    orders: int = 1
    asked: bool = True
    times: int = 0
    besides: typing.Callable = unchanged


CUTS = {"before the answer": 0, "in the status line": 0.05, "in the headers": 0.5, "after the headers": 1,
        "in the body": 1.5}
ELSEWHERE = body("", 302, Location="https://127.0.0.1:1/elsewhere")
HTML = body("<html>It works!</html>", content_type="text/html")
TABLE = {
    **{f"{resource}: cut {where}": Row(resource, cut(share), "127.0.0.1")
       for resource, (where, share) in itertools.product(
           ("newOrder", "authorization", "challenge", "finalize", "certificate"), CUTS.items())},
    **{f"{resource}: {what}": Row(resource, change, words, asked=False)
       for resource, (what, (change, words)) in itertools.product(
           ("newOrder", "authorization", "challenge", "finalize", "certificate"),
           {"500": (body("out of order", 500, "text/plain"), "500"),
            "503, later": (body("", 503, "text/plain", Retry_After="3600"), "503"),
            "rate limited": (problem(429, "rateLimited", Retry_After="3600"), "rateLimited"),
            "redirected": (ELSEWHERE, "302"),
            "HTML": (HTML, "expected"),
            "server internal": (problem(500, "serverInternal"), "serverInternal"),
            "bad nonce for ever": (problem(400, "badNonce"), "badNonce")}.items())},
    **{f"{resource}: {what}": Row(resource, change, asked=False, times=1)
       for resource, (what, change) in itertools.product(
           ("newOrder", "authorization", "finalize", "certificate"),
           {"a bad nonce": problem(400, "badNonce"), "an account forgotten": problem(400, "accountDoesNotExist")}.items())},
    # Without a list, an order that may have been made is given up as lost.
    "newOrder: 503, later, and no list": Row("newOrder", body("", 503, "text/plain", Retry_After="3600"), "503", asked=False,
                                             besides=unlisted),
    "newOrder: 429, and no list": Row("newOrder", body("", 429, "text/plain"), "429", asked=False, besides=unlisted),
    "newOrder: cut before the answer, once": Row("newOrder", cut(0), "the CA has seen the request", times=1),
    "newOrder: length too great": Row("newOrder", length(+10), "127.0.0.1"),
    "newOrder: length too small": Row("newOrder", length(-10), "JSON"),
    "newOrder: no Location": Row("newOrder", without_header("Location"), "Location"),
    "newOrder: Location without TLS": Row("newOrder", header("Location", "http://127.0.0.1/order"), "https"),
    "newOrder: no finalize": Row("newOrder", drop_json("finalize"), "finalize"),
    "newOrder: a status of its own": Row("newOrder", set_json(status="perhaps"), "perhaps"),
    "newOrder: rejected identifier": Row("newOrder", problem(400, "rejectedIdentifier"), "rejectedIdentifier", asked=False),
    "newOrder: CAA forbids": Row("newOrder", problem(403, "caa"), "caa", asked=False),
    "newOrder: the user is to act": Row("newOrder", problem(403, "userActionRequired"), "userActionRequired", asked=False),
    "newOrder: no authorizations": Row("newOrder", set_json(authorizations=[]), "no authorization"),
    "authorization: revoked": Row("authorization", set_json(status="revoked"), "revoked", orders=2),
    "authorization: deactivated": Row("authorization", set_json(status="deactivated"), "deactivated", orders=2),
    "authorization: expired": Row("authorization", set_json(status="expired"), "expired", orders=2),
    "authorization: invalid": Row("authorization", set_json(status="invalid"), "invalid", orders=2),
    "authorization: pending for a while": Row("authorization", set_json(status="pending"), times=3),
    "authorization: in another order": Row("authorization", challenges(lambda offered: offered[::-1])),
    "authorization: kinds that nobody knows": Row("authorization", challenges(
        lambda offered: [{"type": "quantum-01", "status": "pending", "url": "https://127.0.0.1:1/q"}, *offered])),
    "authorization: no http-01": Row("authorization", challenges(
        lambda offered: [one for one in offered if one["type"] != "http-01"]), "http-01", orders=2),
    "authorization: no token": Row("authorization", challenges(
        lambda offered: [{**one, "token": ""} for one in offered]), "token"),
    "authorization: a token with a path": Row("authorization", challenges(
        lambda offered: [{**one, "token": "../../../../etc/passwd"} for one in offered]), "token"),
    "finalize: not ready at first": Row("finalize", problem(403, "orderNotReady"), asked=False, times=1),
    "finalize: bad CSR": Row("finalize", problem(400, "badCSR"), "badCSR", orders=2, asked=False),
    "finalize: invalid": Row("finalize", set_json(status="invalid"), "refused the order", orders=2),
    "finalize: Retry-After of the past": Row("finalize", header("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")),
    "finalize: Retry-After below zero": Row("finalize", header("Retry-After", "-5")),
    "finalize: Retry-After of an age": Row("finalize", header("Retry-After", "99999999999999999999")),
    "order: processing for a while": Row("order", set_json(status="processing"), times=3),
    "order: valid without a certificate": Row("order", drop_json("certificate"), "certificate"),
    **{f"{resource}: {what}": Row(resource, change, words, orders=2, asked=False)
       for resource, (what, (change, words)) in itertools.product(("order", "certificate"), {
           "refused": (problem(403, "unauthorized"), "unauthorized"),
           "not there": (problem(404, "malformed"), "malformed"),
           "not there, HTML": (body("<html>Nothing here</html>", 404, "text/html"), "404"),
           "gone": (body("", 410, "text/plain"), "410")}.items())},
    "certificate: the clock of the server is wrong": Row("certificate", header("Date", "Sat, 01 Jan 2000 00:00:00 GMT")),
    "certificate: as JSON": Row("certificate", header("Content-Type", "application/json"), "application/json"),
    "certificate: nothing": Row("certificate", chain(lambda pem: []), "CERTIFICATE"),
    "certificate: no PEM": Row("certificate", body("perhaps", content_type="application/pem-certificate-chain"), "CERTIFICATE"),
    "certificate: endless": Row("certificate", body("x" * 3_000_000, content_type="application/pem-certificate-chain"), "more than"),
    "certificate: for another key": Row("certificate", forged(key=OTHER_KEY.public_key()), "another key", orders=2),
    "certificate: for another name": Row("certificate", forged(names=["x.example"]), "cover", orders=2),
    "certificate: expired": Row("certificate", forged(begin=-30, end=-1), "ended", orders=2),
    "certificate: not valid yet": Row("certificate", forged(begin=1), "begins"),
    "certificate: the chain in reverse": Row("certificate", chain(lambda pem: pem[::-1])),
    "certificate: twice": Row("certificate", chain(lambda pem: pem + pem)),
    # A root may sign leaves itself, and does not belong into the chain: that there was more cannot be seen.
    "certificate: without its issuer": Row("certificate", chain(lambda pem: pem[:1])),
    "certificate: with a stranger in its issuer's place": Row("certificate", chain(lambda pem: [pem[0], OTHER_ROOT]), "missing"),
}

# Let's Encrypt's words, who wants a person to visit a page: boulder, wfe2/wfe.go.
TABLE["newOrder: paused"] = Row("newOrder", body(
    f'{{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "Your account is temporarily prevented from requesting '
    f'certificates for fault-{len(TABLE)}.example.com and possibly others. Please visit: '
    f'https://portal.letsencrypt.example/sfe/v1/unpause?jwt={"A" * 700}", "status": 429}}', 429, "application/problem+json"),
    "temporarily prevented", asked=False)


class Fault:
    """What the row says, for an AcmeProxy."""

    def __init__(self, row):
        self.row, self.done = row, 0

    def __call__(self, resource, ask):
        if resource != self.row.resource or (self.row.times and self.done == self.row.times):
            return self.row.besides(resource, ask)
        self.done += 1
        return self.row.change(ask() if self.row.asked else Answer(0, {}, b""))


@pytest.fixture(scope="module")
def gateway():
    """All is well, and its nginx is served, before the first fault and after the last."""
    # With three orders a page, as Pebble has it else, the list becomes too long to be read to its end.
    with Box(pebble_environment={**QUICK, "PEBBLE_WFE_ORDERS_PER_PAGE": "100"}) as box:
        proxy = AcmeProxy(box.folder / "proxy", box.ca)
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
        box.proxy = proxy
        try:
            box.start()
            proved(box, "acme")
            yield box
            assert all(box.look(name).verified for name in namespace.NAMES)
        finally:
            proxy.stop()


@pytest.mark.parametrize("fault", TABLE)
def test_one_thing_is_wrong(gateway, fault):
    row, name = TABLE[fault], f"fault-{list(TABLE).index(fault)}.example.com"
    orders, daemon = gateway.ca.count(NEW_ORDER), gateway.manager.process.pid
    gateway.proxy.change = done = Fault(row)
    try:
        gateway.control.run("request", name)
        found = certificates_where(gateway, lambda it: it["State"] == "acme" or it["LastError"], "end of the attempt",
                                   names=[name])[name]
        gateway.proxy.change = row.besides
        assert done.done, "the fault was never met"
        if row.words:
            assert found["State"] == "local", "a certificate that is worse was taken"
            assert row.words in found["LastError"] and len(found["LastError"]) < 600
            gateway.control.run("reissue", name)
        found = certificates_where(gateway, lambda it: it["State"] == "acme", "certificate of the CA", names=[name])[name]
    finally:
        gateway.proxy.change = unchanged
    assert found["LostOrders"] == 0
    assert gateway.ca.count(NEW_ORDER) - orders == row.orders
    assert gateway.manager.process.pid == daemon and gateway.manager.process.running()


@pytest.mark.parametrize("heard, listed, orders, lost", [
    (True, True, 1, 0), (False, True, 1, 0),  # the account's list tells
    (True, False, 2, 1), (False, False, 1, 1),  # nobody can tell: one that is on record as lost
])
def test_killed_while_new_order_is_on_its_way(gateway, heard, listed, orders, lost):
    """The request has left, and no answer came when the daemon died. `heard`: by the server; `listed`: it keeps a list of
    orders; `orders`: that it has in the end."""
    name, before, killed = f"killed-{heard:d}{listed:d}.example.com", gateway.ca.count(NEW_ORDER), []

    def kill(resource, ask):
        if resource.startswith("/my-account/") and not listed:
            return drop_json("orders")(ask())
        if resource != "newOrder" or killed:
            return ask()
        answer = ask() if heard else Answer(0, {}, b"")
        gateway.manager.process.kill()
        killed.append(resource)
        answer.sent = 0
        return answer

    gateway.proxy.change = kill
    try:
        gateway.control.run("request", name, check=False)
        wait_until("the request", lambda: killed)
        gateway.manager.process.child.wait()
        gateway.manager.start()
        found = certificates_where(gateway, lambda it: it["State"] == "acme", "certificate of the CA", names=[name])[name]
    finally:
        gateway.proxy.change = lambda resource, ask: ask()
    assert gateway.ca.count(NEW_ORDER) - before == orders
    assert found["LostOrders"] == lost
