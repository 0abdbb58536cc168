"""What an ACME server may do wrong, fault by fault, each with what must come of it: a proxy before a real Pebble breaks one
thing of what passes on the way to a certificate."""

import contextlib
import itertools
import socket
import ssl

import pytest
from acme_faults import (CUTS, ELSEWHERE, HTML, LATER, NEW_ORDER, OTHER_KEY, OTHER_ROOT, OUT_OF_ORDER, Fault, Row, attempt,
                         below, body, both, chain, chunked, cut, drop_json, endless, endless_chunks, endless_headers,
                         faulty_gateway, forged, header, issued, length, list_of, problem, prove, set_json, unchanged,
                         unlisted, until_closed, with_flipped_bit, with_impostor, without_header)
from acme_proxy import Answer, drop, reset, take_leave
from await_state import certificates_where
from box import WEB_INTERFACE
from box.process import wait_until
from cryptography import x509

LENGTH = 2  # of the CAs that a chain has above the leaf
STEPS = ("newOrder", "authorization", "challenge", "finalize", "order", "certificate")


def backwards(items):
    return items[::-1]


TABLE = {
    **{f"{resource}: cut {where}": Row(resource, cut(where), "127.0.0.1")
       for resource, where in itertools.product(STEPS, CUTS)},
    **{f"{resource}: reset {where}": Row(resource, cut(where, reset), "127.0.0.1")
       for resource, where in itertools.product(STEPS, ("before the answer", "in the body"))},
    **{f"{resource}: {what}": Row(resource, change, words)
       for resource, (what, (change, words)) in itertools.product(("newOrder", "order", "certificate"), {
           "chunked": (chunked, ""),
           "chunked, cut in the body": (both(chunked, cut("in the body")), "127.0.0.1"),
           "chunked, cut before the last chunk": (both(chunked, cut("before the last chunk")), "127.0.0.1"),
           "chunked, cut after the last chunk": (both(chunked, cut("before the last byte")), ""),
           "until closed, cut in the body": (both(until_closed(drop), cut("in the body")), "pebble"),  # or as what is left of it
           "until closed, reset in the body": (both(until_closed(drop), cut("in the body", reset)), "127.0.0.1"),
       }.items())},
    **{f"{resource}: until closed, ended in the body": Row(
        resource, both(until_closed(drop), cut("in the body", take_leave)), words)
       for resource, words in {"newOrder": "JSON", "authorization": "JSON", "finalize": "JSON", "order": "JSON",
                               "certificate": "all of it"}.items()},
    # What was cut is no JSON, but may be a chain: RFC 9112 9.8.
    **{f"{resource}: until closed{how}": Row(resource, until_closed(end), words)
       for (resource, words), (how, end) in itertools.product(
           {"newOrder": "", "order": "", "certificate": "all of it"}.items(),
           {"": take_leave, ", without the end of TLS": drop}.items())},
    "certificate: until closed, cut above the issuer": Row(
        "certificate", both(chain(lambda pem: pem[:2]), until_closed(drop)), "all of it"),
    **{f"{resource}: {what}": Row(resource, change, "more than")
       for resource, (what, change) in itertools.product(STEPS, {
           "endless": endless(b" " * 0x10000), "endless chunks": endless_chunks,
           "endless headers": endless_headers}.items())},
    **{f"{resource}: {what}": Row(resource, change, words, asked=False)
       for resource, (what, (change, words)) in itertools.product(STEPS, {
           "500": (OUT_OF_ORDER, "500"),
           "503, later": (LATER, "503"),
           "rate limited": (problem(429, "rateLimited", Retry_After="3600"), "rateLimited"),
           "redirected": (ELSEWHERE, "302"),
           "HTML": (HTML, "expected"),
           "server internal": (problem(500, "serverInternal"), "serverInternal"),
           "bad nonce for ever": (problem(400, "badNonce"), "badNonce")}.items())},
    **{f"{resource}: {what}": Row(resource, change, asked=False, times=1)
       for resource, (what, change) in itertools.product(STEPS, {
           "a bad nonce": problem(400, "badNonce"), "an account forgotten": problem(400, "accountDoesNotExist")}.items())},
    **{f"{resource}: {what}": Row(resource, change)
       for resource, (what, change) in itertools.product(STEPS, {
           "no nonce": without_header("Replay-Nonce"), "a malformed nonce": header("Replay-Nonce", "not base64url!"),
           "a nonce of its own": header("Replay-Nonce", "A" * 22), "an endless nonce": header("Replay-Nonce", "A" * 5000),
       }.items())},
    **{f"{resource}: length {what}": Row(resource, change, words)
       for resource, part in {"newOrder": "JSON", "authorization": "JSON", "finalize": "JSON", "order": "JSON",
                              "certificate": "END"}.items()
       for what, (change, words) in {
           "too great": (length(+10), "127.0.0.1"),
           "too great by one": (length(+1), "127.0.0.1"),
           "too small": (length(-10), part),
           "unreadable": (header("Content-Length", "many"), "127.0.0.1"),
           "below zero": (header("Content-Length", "-5"), "127.0.0.1"),
           "twice": (header("content-length", "70"), part)}.items()},
    # Without a list, an order that may have been made is given up as lost.
    "newOrder: 503, later, and no list": Row("newOrder", LATER, "503", asked=False, besides=unlisted, lost=1),
    "newOrder: made, and 503, later": Row("newOrder", LATER, "503"),
    "newOrder: made, and 503, later, and no list": Row("newOrder", LATER, "503", orders=2, besides=unlisted, lost=1),
    "newOrder: refused by 503, and no list": Row("newOrder", problem(503, "rateLimited", Retry_After="3600"), "rateLimited",
                                                 asked=False, besides=unlisted),
    "newOrder: 429, and no list": Row("newOrder", body("", 429, "text/plain"), "429", asked=False, besides=unlisted),
    "newOrder: cut before the answer, once": Row("newOrder", cut("before the answer"), "the CA has seen the request", times=1),
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
    "authorization: in another order": Row("authorization", list_of("challenges", backwards)),
    **{f"{resource}: {key} in another order": Row(resource, list_of(key, backwards), three=True)
       for resource, key in itertools.product(("newOrder", "finalize", "order"), ("identifiers", "authorizations"))},
    "newOrder: an authorization twice": Row("newOrder", list_of("authorizations", lambda urls: urls + urls[:1]), three=True),
    "authorization: kinds that nobody knows": Row("authorization", list_of("challenges", 
        lambda offered: [{"type": "quantum-01", "status": "pending", "url": "https://127.0.0.1:1/q"}, *offered])),
    "authorization: no http-01": Row("authorization", list_of("challenges", 
        lambda offered: [one for one in offered if one["type"] != "http-01"]), "http-01", orders=2),
    "authorization: no token": Row("authorization", list_of("challenges", 
        lambda offered: [{**one, "token": ""} for one in offered]), "token"),
    "authorization: a token with a path": Row("authorization", list_of("challenges", 
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
    "certificate: far too long": Row("certificate", body("x" * 3_000_000, content_type="application/pem-certificate-chain"),
                                     "more than"),
    "certificate: for another key": Row("certificate", forged(key=OTHER_KEY.public_key()), "another key", orders=2),
    "certificate: for another name": Row("certificate", forged(names=["x.example"]), "cover", orders=2),
    "certificate: expired": Row("certificate", forged(begin=-30, end=-1), "ended", orders=2),
    "certificate: not valid yet": Row("certificate", forged(begin=1), "begins"),
    "certificate: the chain in reverse": Row("certificate", chain(backwards)),
    "certificate: twice": Row("certificate", chain(lambda pem: pem + pem)),
    "certificate: twice the leaf alone": Row("certificate", chain(lambda pem: pem[:1] * 2), "without that of its issuer"),
    "certificate: without its issuer": Row("certificate", chain(lambda pem: pem[:1]), "without that of its issuer"),
    # A root may sign it, and does not belong into the chain: that there was more cannot be seen.
    "certificate: without the issuer of its issuer": Row("certificate", chain(lambda pem: pem[:2])),
    "certificate: with a stranger in its issuer's place": Row("certificate", chain(lambda pem: [pem[0], OTHER_ROOT]), "missing"),
    "certificate: below an issuer that has ended": Row("certificate", below(-30, -1), "is valid now"),
    "certificate: below an issuer that begins tomorrow": Row("certificate", below(1, 90), "is valid now"),
    "certificate: with another issuer of that name": Row("certificate", chain(with_impostor), "missing"),
    "certificate: a bit of its signature flipped": Row("certificate", chain(with_flipped_bit(0)), "missing"),
    "certificate: a bit of its issuer's signature flipped": Row("certificate", chain(with_flipped_bit(1)), "missing"),
}

# Let's Encrypt's words, who wants a person to visit a page: boulder, wfe2/wfe.go.
TABLE["newOrder: paused"] = Row("newOrder", body(
    f'{{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "Your account is temporarily prevented from requesting '
    f'certificates for fault-{len(TABLE)}.example.com and possibly others. Please visit: '
    f'https://portal.letsencrypt.example/sfe/v1/unpause?jwt={"A" * 700}", "status": 429}}', 429, "application/problem+json"),
    "temporarily prevented", asked=False)


@pytest.fixture(scope="module")
def gateway():
    with faulty_gateway({"PEBBLE_CHAIN_LENGTH": str(LENGTH)}) as box:
        yield box


@pytest.mark.parametrize("fault", TABLE)
def test_one_thing_is_wrong(gateway, fault):
    prove(gateway, TABLE[fault], f"fault-{list(TABLE).index(fault)}.example.com")


def test_a_chain_in_reverse_is_served_leaf_first(gateway):
    before = gateway.control.certificates()[WEB_INTERFACE]["Sha256"]
    gateway.proxy.change = fault = Fault(Row("certificate", chain(backwards)))
    try:
        gateway.control.run("reissue", WEB_INTERFACE)
        certificates_where(gateway, lambda it: it["Sha256"] != before and it["Proof"] == "proved", "the next one",
                           names=[WEB_INTERFACE])
    finally:
        gateway.proxy.change = unchanged
    seen = gateway.look(WEB_INTERFACE)
    served = [x509.load_pem_x509_certificate(pem.encode()) for pem in seen.chain]
    assert fault.done and seen.verified and len(served) == 1 + LENGTH
    assert [it.issuer for it in served[:-1]] == [it.subject for it in served[1:]]


class BrokenConnection:
    """The one of that number."""

    def __init__(self, number, how):
        self.left, self.how, self.met = itertools.count(number, -1), how, False

    def __call__(self, connection):
        if next(self.left) == 0:
            self.met = True
            self.how(connection)
            raise ConnectionAbortedError


def cut_in_handshake(connection):
    """Within the server's first flight."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(socket.socket.recv(connection, 0x4000))
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    flight = outgoing.read()
    socket.socket.sendall(connection, flight[:len(flight) // 2])


GREETINGS = {"closed": lambda connection: None, "reset": reset, "cut in the handshake": cut_in_handshake}


@pytest.mark.parametrize("how", GREETINGS)
def test_each_connection_is_broken_once(gateway, how):
    """Each request has one of its own."""
    orders, failed = gateway.ca.count(NEW_ORDER), 0
    gateway.proxy.keep = False
    try:
        for number in itertools.count():
            gateway.proxy.greet = broken = BrokenConnection(number, GREETINGS[how])
            name = f"connection-{number}.{list(GREETINGS).index(how)}.example.com"
            found = attempt(gateway, name)
            gateway.proxy.greet = lambda connection: None
            if found["LastError"]:
                assert broken.met and "127.0.0.1" in found["LastError"]
                gateway.control.run("reissue", name)
                failed += 1
            assert issued(gateway, name)["LostOrders"] == 0
            assert gateway.ca.count(NEW_ORDER) - orders == number + 1
            if not broken.met:
                break
    finally:
        gateway.proxy.keep, gateway.proxy.greet = True, lambda connection: None
    assert failed >= len(STEPS)


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
        found = issued(gateway, name)
    finally:
        gateway.proxy.change = unchanged
    assert gateway.ca.count(NEW_ORDER) - before == orders
    assert found["LostOrders"] == lost
