"""Profiles of a CA (draft-ietf-acme-profiles): wanted for all, for a service, for one certificate, and not to be had."""

import pytest
from await_state import certificates_where, proved
from box import PROXIED, QUICK, WEB_INTERFACE, Box
from box.acme import cached

DAY = 86400
PROFILES = {"default": {"description": "90 days", "validityPeriod": 90 * DAY},
            "tlsserver": {"description": "45 days", "validityPeriod": 45 * DAY},
            "shortlived": {"description": "160 hours", "validityPeriod": 160 * 3600}}


def days(certificate):
    return (certificate["NotAfter"] - certificate["NotBefore"] + 1) / DAY


@pytest.fixture(scope="module")
def box():
    """All are to be short-lived, one service's required to be of 45 days."""
    if not cached("pebble")[1]:
        pytest.fail("this needs Pebble 2.10 with profiles, which scripts/setup builds where Go is installed")
    with Box(pebble_environment=QUICK, pebble_settings={"profiles": PROFILES}) as box:
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": box.ca}, profile="shortlived")
        box.manager.drop_in("reverse-proxy", "10-profile", acme_profile="tlsserver", acme_profile_required=True)
        box.start()
        proved(box, "acme")
        yield box


def issued(box, name):
    return certificates_where(box, lambda it: it["State"] == "acme", "certificate of the CA", names=[name])[name]


def test_the_profile_of_the_settings_and_of_a_service(box):
    certificates = box.control.certificates()
    assert certificates[WEB_INTERFACE]["AcmeProfile"] == "shortlived"
    assert 6 < days(certificates[WEB_INTERFACE]) < 7
    for name in PROXIED:
        assert certificates[name]["AcmeProfile"] == "tlsserver"
        assert days(certificates[name]) == 45
    assert not any(it["AcmeProfileReason"] for it in certificates.values())
    assert box.look(WEB_INTERFACE).verified


def test_a_short_lived_certificate_is_renewed_in_time(box):
    certificate = box.control.certificates()[WEB_INTERFACE]
    assert certificate["NotAfter"] - certificate["RenewAt"] >= 160 * 3600 / 5 - 1


def test_the_profile_of_one_certificate(box):
    box.control.run("request", "year.example.com", "--profile", "default", "--profile-required")
    certificate = issued(box, "year.example.com")
    assert certificate["AcmeProfile"] == "default" and days(certificate) == 90
    assert "AcmeProfile: default" in box.control.run("show", "year.example.com").stdout


def test_one_that_is_preferred_and_not_offered_is_done_without(box):
    for name in ("one.example.com", "two.example.com"):
        box.control.run("request", name, "--profile", "lasting")
        reason = issued(box, name)["AcmeProfileReason"]
        assert 'no profile "lasting": it offers "default", "shortlived", "tlsserver"; ordered without' in reason
        assert reason in box.control.run("show", name).stdout
    assert box.manager.log.read_text().count('no profile "lasting"') == 1, "said once"


def test_one_that_is_required_and_not_offered_costs_no_order(box):
    orders = box.ca.count("Added order")
    box.control.run("request", "three.example.com", "--profile", "lasting", "--profile-required")
    certificate = certificates_where(box, lambda it: it["LastError"], "reason", names=["three.example.com"])
    error = certificate["three.example.com"]["LastError"]
    assert 'it offers "default", "shortlived", "tlsserver"; the profile is required' in error
    assert certificate["three.example.com"]["State"] == "local"
    assert box.ca.count("Added order") == orders


def test_a_ca_without_profiles(make_box):
    box = make_box(ca="debian-pebble", pebble_environment=QUICK)
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": box.ca}, profile="shortlived")
    box.start()
    for certificate in proved(box, "acme").values():
        assert 'no profile "shortlived": it offers none' in certificate["AcmeProfileReason"]
