"""Alternate chains (RFC 8555 7.4.2): preferred by the name of a root or its fingerprint, for all and for a service."""

import hashlib

import pytest
from await_state import proved
from box import PROXIED, QUICK, WEB_INTERFACE
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

RELEASES = ["pebble", "debian-pebble"]


def root_of(box, number):
    return x509.load_pem_x509_certificate(box.ca.root(number).encode())


def name_of(root):
    return root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def leads_to(box, name, number):
    return box.look_trusting(name, box.ca.root(number), f"root-{number}.pem").verified


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("length", [1, 3])
def test_the_chain_that_is_preferred_is_served(make_box, release, length):
    box = make_box(ca=release, pebble_environment={**QUICK, "PEBBLE_ALTERNATE_ROOTS": "2",
                                                   "PEBBLE_CHAIN_LENGTH": str(length)})
    first, second, third = (root_of(box, number) for number in range(3))
    trusted = box.folder / "trusted.pem"
    trusted.write_text("".join(box.ca.root(number) for number in range(3)))
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": box.ca}, preferred_chain=name_of(third))
    box.manager.set("trust", system_file=str(trusted))
    fingerprint = hashlib.sha256(second.public_bytes(Encoding.DER)).hexdigest()
    box.manager.drop_in("reverse-proxy", "10-chain", preferred_chain=fingerprint.upper())
    box.start()
    certificates = proved(box, "acme")
    for number, names in {2: [WEB_INTERFACE], 1: PROXIED}.items():
        for name in names:
            assert [leads_to(box, name, root) for root in range(3)] == [root == number for root in range(3)]
            reason = certificates[name]["ChainReason"]
            assert reason == (f'alternate chain {number} of the CA, to "{name_of(root_of(box, number))}", '
                              "which is preferred")
    assert certificates[WEB_INTERFACE]["ChainReason"] in box.control.run("show", WEB_INTERFACE).stdout


@pytest.mark.parametrize("release", RELEASES)
def test_without_a_wish_no_other_chain_is_asked_for(make_box, release):
    box = make_box(ca=release, pebble_environment={**QUICK, "PEBBLE_ALTERNATE_ROOTS": "1"})
    box.start()
    certificates = proved(box, "acme")
    assert leads_to(box, WEB_INTERFACE, 0) and not leads_to(box, WEB_INTERFACE, 1)
    assert certificates[WEB_INTERFACE]["ChainReason"].startswith("the first chain of the CA, to ")
    assert box.ca.count("/alternate/") == 0
