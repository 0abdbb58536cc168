"""OpenVPN: proved by a command, which is a client; a reload ends the tunnels, so clients may be turned away."""

import pytest
from box.openvpn import OpenVpn
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    openvpn = OpenVpn(gateway)
    gateway.manager.start()
    return openvpn


class TestOpenVpn(ServiceSuite):
    drops = True
