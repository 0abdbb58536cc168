"""stunnel: the code has never heard of it, a profile and a polkit rule are all that it takes."""

import pytest
from box.stunnel import Stunnel
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    stunnel = Stunnel(gateway)
    gateway.manager.start()
    return stunnel


class TestStunnel(ServiceSuite):
    drops = True  # it closes its listener for a moment
