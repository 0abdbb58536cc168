"""Reverse proxy, captive portal and web interface have ports 80 and 443 in turn and together, on nginx and behind haproxy,
and a CA gets through to the responders in each arrangement: no service is stopped, and no client sees an error."""

import socket
import ssl

import pytest
from await_state import certificates_where
from box import QUICK, Box
from box.front import Front, start_tls_responder
from box.meanwhile import Meanwhile
from box.process import wait_until

ARRANGEMENTS = [
    (("proxy",), False),
    (("web",), False),
    (("portal",), False),
    (("portal", "proxy", "web"), False),
    (("portal", "proxy", "web"), True),
    (("proxy", "portal"), True),
    (("web", "proxy"), False),
]


class Clients(Meanwhile):
    """They open one connection after another, to port 80 and to port 443, and keep what goes wrong."""

    def __init__(self):
        super().__init__(lambda: self._keep_asking(80), lambda: self._keep_asking(443))
        self.answers = {80: 0, 443: 0}
        self.errors = []
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def _keep_asking(self, port):
        while not self.stopping.wait(0.005):
            try:
                self._ask(port)
                self.answers[port] += 1
            except OSError as error:
                self.errors.append((port, repr(error)))

    def _ask(self, port):
        with socket.create_connection(("127.0.0.1", port), 20) as raw:
            connection = self.context.wrap_socket(raw, server_hostname="app.example.com") if port == 443 else raw
            connection.sendall(b"GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n")
            answer = connection.recv(4096)
        if not answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 302 ")):  # 302: to the portal
            raise OSError(f"answered {answer[:60]!r}")

    def await_more(self):
        before = dict(self.answers)
        wait_until("answers to clients", lambda: all(self.answers[port] > before[port] + 5 for port in before))


@pytest.fixture(scope="module")
def shared():
    """A box whose CA asks on the ports of the standards."""
    with Box(ca="pebble", pebble_environment=QUICK, sites=False, pebble_settings={"httpPort": 80, "tlsPort": 443}) as box:
        _, box.tls_responder = start_tls_responder(box, 8403)
        box.manager.set_acme(challenge_port=80, tls_challenge_port=443, preflight=True,
                             resolver=f"127.0.0.1:{box.ca.dns_port}")
        box.front = Front(box)
        yield box


@pytest.mark.parametrize("kind", ["http-01", "tls-alpn-01"])
def test_a_challenge_gets_through_in_each_arrangement_and_no_client_sees_an_error(shared, kind):
    box, front = shared, shared.front
    box.manager.set_acme(challenges=[kind])
    box.manager.restart()
    processes = front.nginx.pid, box.tls_responder.pid, box.responder.process.pid
    with Clients() as clients:
        for number, (sites, haproxy) in enumerate(ARRANGEMENTS):
            front.arrange(sites, haproxy)
            clients.await_more()
            name = f"{kind}-{number}.example.com"
            box.control.run("request", name)
            certificates_where(box, lambda it: it["State"] == "acme", f"ACME certificate with {sites}", [name])
            clients.await_more()
            assert not clients.errors, (sites, haproxy)
    assert not clients.errors
    assert (front.nginx.pid, box.tls_responder.pid, box.responder.process.pid) == processes
    assert front.nginx.running() and box.tls_responder.running() and box.responder.process.running()
    print(f"{kind}: {clients.answers} answers")
