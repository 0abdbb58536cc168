"""From an empty box to proved certificates, and what an administrator then does with them."""

import re
import signal

import pytest
from await_state import certificates_where, proved
from box import PROXIED, QUICK, WEB_INTERFACE, namespace, tls
from box.process import wait_until


def test_local_at_once_then_acme_without_one_dropped_connection(make_box):
    box = make_box(pebble_environment=QUICK)
    acme_root = box.ca.root()
    box.ca.process.kill(signal.SIGSTOP)  # until a client has come
    box.manager.start()
    for name in namespace.NAMES:
        service = "web-interface" if name == WEB_INTERFACE else "reverse-proxy"
        assert (box.manager.live(service, name) / "fullchain.pem").exists(), "local files lie ready before READY=1"
    box.nginx.start()
    local_root = box.control.run("authority", "download").stdout
    with tls.Hammer(PROXIED[0], box.port, local_root + acme_root) as hammer:
        wait_until("a client", lambda: hammer.issuers)
        box.ca.process.kill(signal.SIGCONT)
        proved(box, "acme")
    assert hammer.errors == []
    assert len(hammer.issuers) == 2, f"local and ACME certificates were both seen: {hammer.issuers}"
    for name in namespace.NAMES:
        seen = box.look(name)
        assert seen.verified, seen.output
        assert len(seen.chain) >= 2, "the whole chain is sent"
    assert box.ca.count("POST /order-plz") == len(namespace.NAMES)


def test_one_server_block_for_all_names_needs_no_reload(make_box):
    """nginx then opens the files for each handshake, as its unprivileged workers."""
    box = make_box(pebble_environment=QUICK)
    live = box.manager.state / "live"
    box.nginx.write_configuration({WEB_INTERFACE: live / "web-interface" / WEB_INTERFACE / "current"}, live / "reverse-proxy")
    box.manager.add_service("reverse-proxy", "Reverse proxy", PROXIED, box.nginx, reload=False)
    box.start()
    proved(box, "acme")
    reloads = box.nginx.log.read_text().count("reconfiguring")
    for name in PROXIED:
        before = box.look(name)
        assert before.verified, before.output
        box.control.run("reissue", name)
        wait_until(f"a new leaf of {name}", lambda: box.look(name).chain[0] != before.chain[0])
    proved(box, "acme")
    assert box.nginx.log.read_text().count("reconfiguring") == reloads


@pytest.mark.parametrize("policy, backends", [("tpm", {"tpm"}), ("sealed", {"sealed"}), ("file", {"file"}),
                                              ("prefer-tpm", {"tpm"})])
def test_each_key_policy_serves(make_box, policy, backends):
    box = make_box(pebble_environment=QUICK, key_policy=policy)
    box.start()
    certificates = proved(box, "acme")
    assert {it["KeyBackend"] for it in certificates.values()} == backends
    assert all(it["KeyReason"] for it in certificates.values())


def test_challenges_through_the_box_s_own_proxy(make_box):
    box = make_box(pebble_environment=QUICK, proxied_challenges=True)
    box.ca.stop_answering()  # until nginx, which holds port 80 here, is up
    box.start()
    box.ca.start()
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    proved(box, "acme")


def test_without_tpm_prefer_tpm_falls_back_and_says_why(make_box):
    box = make_box(pebble_environment=QUICK, tpm=False)
    box.start()
    certificates = proved(box, "acme")
    assert {it["KeyBackend"] for it in certificates.values()} == {"file"}
    assert all("TPM" in it["KeyReason"] for it in certificates.values()), certificates


def test_without_tpm_the_policy_tpm_is_a_clear_error(make_box):
    box = make_box(pebble_environment=QUICK, tpm=False)
    box.start()
    answer = box.control.run("request", "vpn.example.com", "--key-policy", "tpm", check=False)
    certificates = certificates_where(box, lambda it: it["LastError"], "error", names=["vpn.example.com"])
    assert "TPM" in answer.stdout + certificates["vpn.example.com"]["LastError"]
    proved(box, "acme")


def test_reissue_changes_the_key_and_the_leaf(box):
    proved(box, "acme")
    before = box.look(WEB_INTERFACE)
    box.control.run("reissue", WEB_INTERFACE)
    serial = box.control.certificates()[WEB_INTERFACE]["Serial"]
    proved(box, "acme")
    certificates_where(box, lambda it: it["Generation"] > 0, "generation", names=[WEB_INTERFACE])
    after = box.look(WEB_INTERFACE)
    assert after.verified
    assert after.leaf != before.leaf, f"the new certificate {serial} is served"


def test_no_order_fails_though_the_proxy_of_the_challenges_starts_late(make_box):
    box = make_box(pebble_environment=QUICK, proxied_challenges=True)
    box.start()
    certificates = proved(box, "acme")
    assert [it["AbandonedOrders"] for it in certificates.values()] == [0, 0, 0]
    assert not any(it["LastAttempt"] and it["LastError"] for it in certificates.values())


def test_a_requested_name_is_issued_and_deleted(box):
    box.control.run("request", "mail.example.com")
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=["mail.example.com"])
    box.control.run("delete", "mail.example.com")
    assert "mail.example.com" not in box.control.certificates()
    refused = box.control.run("delete", WEB_INTERFACE, check=False)
    assert refused.returncode != 0
    assert "web-interface" in refused.stdout, "what a service needs is not deleted, and it says by whom it is needed"


def test_two_names_in_one_certificate_and_an_address(box):
    box.control.run("request", "a.example.com", "b.example.com")
    box.control.run("request", "192.0.2.7", "--no-acme")
    certificates_where(box, lambda it: it["State"] == "local", "local certificate", names=["192.0.2.7"])
    found = [it for it in box.control.certificates().values() if it["Names"] == ["a.example.com", "b.example.com"]]
    assert len(found) == 1, "equal sets of names are one certificate"


NOT_PUBLIC = {
    "nas.local": 'no public CA issues for nas.local: ".local" belongs to multicast DNS',
    "gw.internal": 'no public CA issues for gw.internal: ".internal" is reserved',
    "192.168.1.5": "the address 192.168.1.5 is private (RFC 1918), so no public CA can reach it",
}


def test_no_ca_is_asked_for_what_no_public_one_issues(make_box):
    """Which holds where the settings don't say otherwise, as those of the other tests do."""
    box = make_box(pebble_environment=QUICK, sites=False)
    settings, otherwise = box.manager.configuration.read_text(), "public_names_only = false\n"
    assert otherwise in settings
    box.manager.configuration.write_text(settings.replace(otherwise, ""))
    box.manager.start()
    for name, words in NOT_PUBLIC.items():
        box.control.run("request", name)
        found = box.control.certificates()[name]
        assert found["State"] == "local" and words in found["Reason"], found["Reason"]
        assert words in " ".join(box.control.run("show", name).stdout.split())
        assert not found["Activity"] and not found["LastError"]
    assert box.ca.count("POST /order-plz") == 0


def test_the_authority_can_be_downloaded_and_verifies_local_leaves(make_box):
    box = make_box(ca=None)
    box.start()
    proved(box, "local")
    root = box.control.run("authority", "download").stdout
    assert re.match(r"-----BEGIN CERTIFICATE-----", root)
    assert "PRIVATE KEY" not in root
    assert all(box.look_locally(name).verified for name in namespace.NAMES)
    assert "root" in box.control.run("authority", "show").stdout


def test_without_rights_one_can_look_and_nothing_else(box):
    proved(box, "acme")
    assert WEB_INTERFACE in box.visitor.run("list").stdout
    assert "BEGIN CERTIFICATE" in box.visitor.run("authority", "download").stdout
    for refused in (["request", "x.example.com"], ["reissue", WEB_INTERFACE], ["delete", WEB_INTERFACE]):
        answer = box.visitor.run(*refused, check=False)
        assert answer.returncode != 0, f"{refused} was allowed"
        assert len(answer.stdout.strip().splitlines()) == 1, f"one plain sentence: {answer.stdout}"
    assert set(box.control.certificates()) == set(namespace.NAMES)
