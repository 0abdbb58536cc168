"""haproxy: the certificate is changed by its runtime API, without a reload."""

import pytest
from box.haproxy import Haproxy
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    haproxy = Haproxy(gateway)
    gateway.manager.start()
    return haproxy


class TestHaproxy(ServiceSuite):
    pass
