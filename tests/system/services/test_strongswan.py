"""strongSwan: an IKE_SA between two network namespaces, by a client that accepts one leaf only."""

import pytest
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
