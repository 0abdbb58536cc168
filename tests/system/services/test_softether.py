"""SoftEther: a key file of type RSA, that vpncmd loads."""

import pytest
from box.softether import SoftEther
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    softether = SoftEther(gateway)
    gateway.manager.start()
    return softether


class TestSoftEther(ServiceSuite):
    pass
