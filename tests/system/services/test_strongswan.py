"""strongSwan: an IKE_SA between two network namespaces, by a client that accepts one leaf only."""

import pytest
from box.strongswan import StrongSwan
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    strongswan = StrongSwan(gateway)
    gateway.manager.start()
    return strongswan


class TestStrongSwan(ServiceSuite):
    pass
