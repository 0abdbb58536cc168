"""Cockpit: a key file, since GnuTLS knows no OpenSSL provider; and a restart, since it loads it at its start only."""

import pytest
from box.cockpit import Cockpit
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    cockpit = Cockpit(gateway)
    gateway.manager.start()
    return cockpit


class TestCockpit(ServiceSuite):
    drops = True
