"""strongSwan: an IKE_SA between two network namespaces, by a client that accepts one leaf only."""

import pytest
from box.process import wait_until
from box.strongswan import StrongSwan
from service_suite import Client, ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    strongswan = StrongSwan(gateway)
    gateway.manager.start()
    return strongswan


class TestStrongSwan(ServiceSuite):
    drops = True    # who authenticates while charon has cleared its credentials and not yet loaded the new ones

    def test_without_rights_it_is_not_proved(self, daemon):
        """charon that may not read the key. That it may not sign is seen only by who authenticates to it."""
        client = Client(daemon)
        key = daemon.folder / "swanctl/private/key.pem"
        reference = key.readlink()
        key.unlink()
        client.reissue()
        assert "no certificate with its private key" in client.await_proof("rolled-back")
        key.symlink_to(reference)
        client.prove()
        assert client.served()

    def test_a_revoked_client_is_refused(self, daemon):
        box, root = daemon.box, Client(daemon).trust()
        people = {}
        for name in ("anna", "boris"):
            bundle = daemon.folder / f"{name}.pem"
            box.control.run("authority", "issue", name, "--email", f"{name}@example.org", "--format", "pem", "-o", bundle)
            people[name] = daemon.clients(root, f"{name}@example.org", bundle)
            assert people[name]()
        serial, = [one["Serial"] for one in box.control.json("authority", "list") if "CN=anna" in one["Subject"]]
        box.control.run("authority", "revoke", serial)

        def refused():
            try:
                return not people["anna"]()
            except OSError as error:
                return "AUTH_FAILED" in str(error)

        wait_until("the end of Anna's rights", refused)
        assert "certificate was revoked" in daemon.log.read_text()
        assert people["boris"]()
