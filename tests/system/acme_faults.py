"""What an ACME server may do wrong, and what must come of it: the words that the tables of faults are written in."""

import contextlib
import dataclasses
import datetime
import itertools
import pathlib
import sqlite3
import time
import typing

from acme_proxy import AcmeProxy, Answer, drop
from await_state import certificates_where, proved
from box import QUICK, Box, namespace
from box.tls import CERTIFICATE
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NEW_ORDER = "Added order"  # to what Pebble keeps: a request that it refuses is none


# ---- What is done to an answer

def both(first, second):
    return lambda answer: second(first(answer))


CUTS = {"before the answer": lambda head, content: 0, "in the status line": lambda head, content: 12,
        "in the headers": lambda head, content: head // 2, "before the last line of the head": lambda head, content: head - 2,
        "after the headers": lambda head, content: head, "in the body": lambda head, content: head + content // 2,
        "before the last chunk": lambda head, content: head + content - len(b"0\r\n\r\n"),
        "before the last byte": lambda head, content: head + content - 1}


def cut(where, end=drop):
    """The connection ends within the answer."""

    def change(answer):
        answer.sent, answer.end = CUTS[where](len(answer.head()), len(answer.body)), end
        return answer

    return change


def chunked(answer):
    del answer.headers["Content-Length"]
    answer.headers["Transfer-Encoding"] = "chunked"
    half = len(answer.body) // 2
    answer.body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (answer.body[:half], answer.body[half:], b""))
    return answer


def until_closed(end):
    """Whole, and its end is that of the connection."""

    def change(answer):
        del answer.headers["Content-Length"]
        answer.headers["Connection"] = "close"
        answer.sent, answer.end = len(answer.head()) + len(answer.body), end
        return answer

    return change


def endless(more):
    """`more` follows again and again, without a Content-Length."""

    def change(answer):
        del answer.headers["Content-Length"]
        answer.pieces = lambda octets: itertools.chain([octets], itertools.repeat(more))
        return answer

    return change


def endless_chunks(answer):
    answer = endless(b"10000\r\n" + b" " * 0x10000 + b"\r\n")(answer)
    answer.headers["Transfer-Encoding"], answer.body = "chunked", b""
    return answer


def endless_headers(answer):
    answer.sent = len(answer.head()) - 2
    return endless(b"X-More: of the same\r\n" * 100)(answer)


def held(seconds):
    def change(answer):
        def pieces(octets):
            time.sleep(seconds)
            yield octets

        answer.pieces = pieces
        return answer

    return change


def trickling(size, pause):
    """So many octets at a time."""

    def change(answer):
        def pieces(octets):
            for begin in range(0, len(octets), size):
                yield octets[begin:begin + size]
                time.sleep(pause)

        answer.pieces = pieces
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


def list_of(key, edit):
    def change(answer):
        answer.json = {**answer.json, key: edit(answer.json[key])}
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


ELSEWHERE = body("", 302, Location="https://127.0.0.1:1/elsewhere")
HTML = body("<html>It works!</html>", content_type="text/html")
LATER = body("", 503, "text/plain", Retry_After="3600")
OUT_OF_ORDER = body("out of order", 500, "text/plain")


# ---- Chains

def chain(edit):
    """Of the certificates as PEM blocks."""

    def change(answer):
        answer.body = "".join(edit(CERTIFICATE.findall(answer.body.decode()))).encode()
        answer.headers["Content-Length"] = str(len(answer.body))
        return answer

    return change


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


OTHER_CA, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
OTHER_CA_NAME, BETWEEN = named("another CA"), named("another CA's issuing CA")


def by_other_ca(subject, key, begin, end, *extensions, issuer=OTHER_CA_NAME, signer=OTHER_CA):
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
               .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=begin))
               .not_valid_after(now + datetime.timedelta(days=end)))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


OF_CA = x509.BasicConstraints(True, None)
OTHER_ROOT = by_other_ca(OTHER_CA_NAME, OTHER_CA.public_key(), -90, 90, OF_CA)


def forged(names=None, key=None, begin=-1, end=30, above=(OTHER_ROOT,), **by):
    """Another CA's chain; what is not given is as in the real leaf."""

    def change(pem):
        real = x509.load_pem_x509_certificate(pem[0].encode())
        meant = (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]) if names else
                 real.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        return [by_other_ca(x509.Name([]), key or real.public_key(), begin, end, meant, **by), *above]

    return chain(change)


def below(begin, end):
    """The leaf is good, its issuer is from `begin` to `end`."""
    return forged(above=[by_other_ca(BETWEEN, OTHER_KEY.public_key(), begin, end, OF_CA), OTHER_ROOT],
                  issuer=BETWEEN, signer=OTHER_KEY)


def with_impostor(pem):
    """In the place of the issuer of the leaf: one of its name."""
    name = x509.load_pem_x509_certificate(pem[0].encode()).issuer
    return [pem[0], by_other_ca(name, OTHER_KEY.public_key(), -90, 90, OF_CA), *pem[2:]]


def with_flipped_bit(number):
    """The last one of a certificate is one of its signature."""

    def edit(pem):
        der = bytearray(x509.load_pem_x509_certificate(pem[number].encode()).public_bytes(Encoding.DER))
        der[-1] ^= 1
        changed = x509.load_der_x509_certificate(bytes(der)).public_bytes(Encoding.PEM).decode()
        return [*pem[:number], changed, *pem[number + 1:]]

    return edit


# ---- What passes besides

def unchanged(resource, ask):
    return ask()


def unlisted(resource, ask):
    """The server keeps no list of orders."""
    return drop_json("orders")(ask()) if resource.startswith("/my-account/") else ask()


# ---- What must come of it

@dataclasses.dataclass
class Row:
    """Without `words` the certificate comes in spite of the fault. With them the local one stays, the words are said, and
    once the fault is over another attempt brings it. `orders`: how many newOrder the server sees in all; `lost`: how many
    are on record as lost. `asked`: it hears of the request that is answered wrongly. `times`: so often; 0: always.
    `besides`: what else passes, also afterwards. `before(gateway, name)`: is done first. `three`: names are in the
    certificate; `options`: of the request. `shown`: words of the certificate of the CA."""

    resource: str
    change: typing.Callable
    words: str = ""
    orders: int = 1
    asked: bool = True
    times: int = 0
    besides: typing.Callable = unchanged
    lost: int = 0
    before: typing.Callable = lambda gateway, name: None
    three: bool = False
    options: tuple = ()
    shown: dict = dataclasses.field(default_factory=dict)


class Fault:
    """What the row says, for an AcmeProxy."""

    def __init__(self, row):
        self.row, self.done = row, 0

    def __call__(self, resource, ask):
        if resource != self.row.resource or (self.row.times and self.done == self.row.times):
            return self.row.besides(resource, ask)
        self.done += 1
        return self.row.change(ask() if self.row.asked else Answer(0, {}, b""))


@contextlib.contextmanager
def faulty_gateway(pebble_environment=None, pebble_settings=None, **of_the_ca):
    """All is well, and its nginx is served, before the first fault and after the last. Its `proxy` is before the CA."""
    # With three orders a page, as Pebble has it else, the list becomes too long to be read to its end.
    environment = {**QUICK, "PEBBLE_WFE_ORDERS_PER_PAGE": "100", **(pebble_environment or {})}
    with Box(pebble_environment=environment, pebble_settings=pebble_settings) as box:
        box.proxy = AcmeProxy(box.folder / "proxy", box.ca)
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": box.proxy}, **of_the_ca)
        try:
            box.start()
            proved(box, "acme")
            yield box
            assert all(box.look(name).verified for name in namespace.NAMES)
        finally:
            box.proxy.stop()


def peak_memory(process):
    return int(pathlib.Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


class SameProcess:
    """It neither dies nor grows by more than a few answers."""

    def __init__(self, process):
        self.process = process
        pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # proc(5): its peak begins anew
        self.before = peak_memory(process)

    def check(self, process):
        assert process is self.process and process.running()
        assert peak_memory(process) - self.before < 8 << 20


def certificate_of(gateway, name):
    """Its id, which is not the name where it has several."""
    return next((key for key, it in gateway.control.certificates().items() if name in it["Names"]), None)


def issued(gateway, key):
    return certificates_where(gateway, lambda it: it["State"] == "acme", "certificate of the CA", names=[key])[key]


def attempt(gateway, name, more=(), options=()):
    """The first one, or the next where there was one before."""
    key = certificate_of(gateway, name)
    if key:
        gateway.control.run("reissue", key, check=False)
    else:
        gateway.control.run("request", name, *more, *options)
        key = certificate_of(gateway, name)
    return certificates_where(gateway, lambda it: it["State"] == "acme" or it["LastError"], "end of the attempt",
                              names=[key])[key]


def others(name):
    """What a certificate of three names has besides."""
    return f"a.{name}", f"b.{name}"


def prove(gateway, row, name):
    orders = gateway.ca.count(NEW_ORDER)
    row.before(gateway, name)
    daemon = SameProcess(gateway.manager.process)
    gateway.proxy.change = fault = Fault(row)
    try:
        found = attempt(gateway, name, others(name) if row.three else (), row.options)
        gateway.proxy.change = row.besides
        assert fault.done, "the fault was never met"
        if row.words:
            assert found["State"] == "local", "a certificate that is worse was taken"
            assert row.words in found["LastError"]
            assert len(found["LastError"]) < 600, "a sentence, not a page"
            gateway.control.run("reissue", found["Id"])
        found = issued(gateway, found["Id"])
    finally:
        gateway.proxy.change = unchanged
    assert found["LostOrders"] == row.lost
    assert gateway.ca.count(NEW_ORDER) - orders == row.orders
    assert all(words in found[key] for key, words in row.shown.items())
    daemon.check(gateway.manager.process)
    return fault


def next_question(gateway, name):
    """In how many seconds the CA is asked again when to renew; None before it was asked."""
    file = f"file:{gateway.manager.state}/certmgr.db?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as database:
        found = database.execute("SELECT next_query FROM renewal_information JOIN credentials USING (generation) "
                                 "WHERE certificate = ?", (name,)).fetchone()
    return found and found[0] - time.time()
