"""squid: an inspection CA in place of a certificate, proved by who signed the leaf that a client is shown."""

import pytest
from await_state import proved
from box.process import run
from box.squid import Squid
from cryptography import x509
from service_suite import Client, ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    squid = Squid(gateway)
    gateway.manager.start()
    return squid


class TestSquid(ServiceSuite):
    drops = True    # its port is closed for a moment while it takes over its configuration

    def test_the_ca_signs_leaves_of_servers_and_nothing_else(self, daemon):
        client = Client(daemon)
        authority = x509.load_pem_x509_certificate(client.served().encode())
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical and constraints.value == x509.BasicConstraints(ca=True, path_length=0)
        usage = authority.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
        root = x509.load_pem_x509_certificate(client.trust().encode())
        assert authority.issuer == root.subject, "signed by the root itself"
        certificate = daemon.box.control.certificates()[client.name]
        assert certificate["KeyBackend"] == "file" and "own root" in certificate["Reason"]

    def test_each_generation_has_a_store_and_the_one_before_keeps_its_own(self, daemon):
        client = Client(daemon)
        for _ in range(2):
            client.reissue()
            client.await_proof("proved")
        assert len(daemon.stores()) == 2
        generation = daemon.files().resolve().name
        assert f"ssl_db.{generation}" in daemon.stores()
        assert f"/ssl_db.{generation} " in (daemon.folder / "certmgr.conf").read_text()

    def test_leaves_of_the_ca_before_are_noticed(self, daemon):
        """Who forgets the store goes on with them, although the new CA is sent along."""
        client, manager = Client(daemon), daemon.box.manager
        before = client.served()
        forgetful = ["squid", "-f", str(daemon.configuration), "-k", "reconfigure"]
        manager.drop_in(daemon.service, "20-store", install={"command": forgetful})
        manager.restart()
        client.reissue()
        assert "signed by none" in client.await_proof("rolled-back")
        assert client.served() == before
        manager.drop_in(daemon.service, "20-store")
        manager.restart()
        client.prove()
        assert client.served() != before

    def test_a_configuration_that_squid_refuses_does_not_end_it(self, daemon):
        client = Client(daemon)
        before = client.served()
        good = daemon.configuration.read_text()
        daemon.configuration.write_text(good + "http_port 127.0.0.1:3129 ssl-bump tls-cert=/dev/null\n")
        client.reissue()
        reason = client.await_proof("rolled-back")
        assert daemon.told_by in reason and "failed" in reason, reason
        assert client.served() == before
        daemon.configuration.write_text(good)
        client.prove()
        assert client.served() != before

    def test_a_new_root_makes_a_new_inspection_ca(self, daemon):
        client, box = Client(daemon), daemon.box
        before, old_root = client.served(), client.trust()
        box.control.run("authority", "reissue")
        proved(box, "local", names=[client.name])
        assert client.trust() != old_root
        assert client.served() != before
        assert daemon.clients(old_root)() == client.served(), "a client that knows the root before only"

    def test_a_client_of_another_make(self, daemon):
        trust = daemon.folder / "trust.pem"
        trust.write_text(Client(daemon).trust())
        answer = run(["curl", "--silent", "--show-error", "--proxy", f"http://127.0.0.1:{daemon.port}", "--cacert", trust,
                      "--output", "/dev/null", "--write-out", "%{http_code}", "https://www.example.com:8447/"])
        assert answer.stdout == "501", "the site has no GET: that is all of its answer"
