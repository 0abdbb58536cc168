"""Web interface and captive portal want the same name: one certificate, one key, and a proof for each of them."""

import ssl

import pytest
from box.daemon import connect_tls
from box.portal import Portal
from service_suite import Client


@pytest.fixture(scope="module")
def service(gateway):
    portal = Portal(gateway)
    gateway.manager.start()
    return portal


def leaf_at(daemon, port):
    root = daemon.box.control.run("authority", "download").stdout
    with connect_tls(ssl.create_default_context(cadata=root), port, daemon.names[0]) as connection:
        return connection.getpeercert(binary_form=True)


def test_two_modules_share_a_certificate_and_change_together(daemon):
    client = Client(daemon)
    certificates = client.prove()
    assert list(certificates) == [client.name]
    assert sorted(certificates[client.name]["Services"]) == ["captive-portal", "web-interface"]
    before = leaf_at(daemon, 443)
    assert leaf_at(daemon, 8443) == before
    client.reissue()
    client.await_proof("proved")
    after = leaf_at(daemon, 443)
    assert leaf_at(daemon, 8443) == after
    assert after != before


def test_one_of_them_without_proof_is_what_the_certificate_shows(daemon):
    client = Client(daemon)
    daemon.set_reload("exit 0")
    client.reissue()
    client.await_proof("rolled-back")
    assert leaf_at(daemon, 443) == leaf_at(daemon, 8443)
