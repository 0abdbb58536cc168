"""OpenVPN: proved by a command, which is a client; a reload ends the tunnels, so clients may be turned away."""

import pytest
from box.openvpn import OpenVpn
from box.process import wait_until
from service_suite import Client, ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    openvpn = OpenVpn(gateway)
    gateway.manager.start()
    return openvpn


class TestOpenVpn(ServiceSuite):
    drops = True

    def test_a_revoked_client_is_refused(self, daemon):
        """It reads the list anew by itself, so nobody's tunnel ends for it."""
        box, root = daemon.box, Client(daemon).trust()
        bundles = {name: daemon.folder / f"{name}.pem" for name in ("Anna", "Boris")}
        for name, bundle in bundles.items():
            box.control.run("authority", "issue", name, "--format", "pem", "-o", bundle)
            assert daemon.clients(root, bundle)()
        serial, = [one["Serial"] for one in box.control.json("authority", "list") if "CN=Anna" in one["Subject"]]
        box.control.run("authority", "revoke", serial)

        def refused():
            try:
                return not daemon.clients(root, bundles["Anna"])()
            except OSError:
                return True

        wait_until("the end of Anna's rights", refused)
        assert daemon.clients(root, bundles["Boris"])()
