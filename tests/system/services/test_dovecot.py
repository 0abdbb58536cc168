"""dovecot: IMAP and POP3, with STARTTLS and with TLS from the first byte."""

import pytest
from box.mail import Dovecot
from service_suite import Client, ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    dovecot = Dovecot(gateway)
    gateway.manager.start()
    return dovecot


class TestDovecot(ServiceSuite):
    def test_each_port_is_proved(self, daemon):
        shown, = (it for it in daemon.box.control.json("service", "list") if it["Name"] == "imap")
        assert shown["Probe"] == ", ".join(f"{kind} 127.0.0.1:{port}" for kind, port in (
            ("imap", 143), ("tls", 993), ("pop3", 110), ("tls", 995)))
        assert Client(daemon).state()["State"] == "proved"
