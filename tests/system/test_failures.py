"""When something around it fails: the service keeps its TLS, the error is plain, and it recovers."""

import signal

import pytest
from await_state import certificates_where, proved
from box import PROXIED, QUICK, WEB_INTERFACE, namespace
from hostile_server import BEHAVIOURS, HostileServer


def test_acme_server_down_the_local_certificate_stays_and_a_retry_recovers(make_box):
    box = make_box(pebble_environment=QUICK)
    box.ca.stop_answering()
    box.start()
    certificates = certificates_where(box, lambda it: it["State"] == "local" and it["LastError"], "error of ACME")
    for certificate in certificates.values():
        assert certificate["NextAttempt"] > certificate["LastAttempt"], "the next attempt is scheduled"
    certificates_where(box, lambda it: it["Proof"] == "proved", "proof of the local certificate")
    assert all(box.look_locally(name).verified for name in namespace.NAMES)
    box.ca.start()
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    proved(box, "acme")
    assert not any(it["LastError"] for it in box.control.certificates().values())


def test_nginx_down_the_files_lie_ready_and_are_proved_once_it_is_up(make_box):
    box = make_box(ca=None)
    box.manager.start()
    certificates_where(box, lambda it: it["Proof"] == "waiting", "that the service is waited for")
    box.nginx.start()
    for service in ("web-interface", "reverse-proxy"):
        box.control.run("service", "check", service)
    proved(box, "local")


def test_a_broken_configuration_of_nginx_rolls_back(box):
    proved(box, "acme")
    before = box.look(WEB_INTERFACE)
    good = box.nginx.configuration.read_text()
    box.nginx.configuration.write_text(good + "this is no nginx directive;\n")
    box.control.run("reissue", WEB_INTERFACE, check=False)
    certificates_where(box, lambda it: it["Proof"] == "rolled-back", "rollback", names=[WEB_INTERFACE])
    assert box.look(WEB_INTERFACE).leaf == before.leaf
    service, = (it for it in box.control.json("service", "list") if it["Name"] == "web-interface")
    assert 'unknown directive "this"' in service["Deployments"][0]["Reason"], "the reason is on record"
    box.nginx.configuration.write_text(good)
    box.nginx.reload()
    assert box.look(WEB_INTERFACE).leaf == before.leaf, "the files on disk are those of the good generation again"


def test_a_reload_that_is_ignored_rolls_back(box):
    proved(box, "acme")
    before = box.look(PROXIED[0])
    reload_script, = box.nginx.reload_command
    with open(reload_script, "r+", encoding="utf-8") as script:
        script.truncate()
        script.write("#!/bin/sh\nexit 0\n")
    box.control.run("reissue", PROXIED[0], check=False)
    certificates_where(box, lambda it: it["Proof"] == "rolled-back", "rollback", names=[PROXIED[0]])
    box.nginx.reload()
    assert box.look(PROXIED[0]).leaf == before.leaf


def test_orders_that_fail_and_certificates_that_go_leave_no_key_behind(box):
    proved(box, "acme")

    def keys():
        return {file.name for file in box.keyd.folder.iterdir()}

    before = keys()
    box.responder.stop()
    box.control.run("request", "mail.example.com", check=False)
    certificates_where(box, lambda it: it["AbandonedOrders"] == 1, "order given up", names=["mail.example.com"])
    assert len(keys() - before) == 1, "that of the local certificate"
    assert "Orders given up: 1" in box.control.run("show", "mail.example.com").stdout
    box.control.run("delete", "mail.example.com")
    assert keys() == before


def test_keyd_restarts_while_nginx_serves(box):
    proved(box, "acme")
    box.keyd.process.kill(signal.SIGKILL)
    box.keyd.process.child.wait()
    box.keyd.stop()
    box.keyd.start(box.tpm.tcti)
    assert all(box.look(name).verified for name in namespace.NAMES)
    box.control.run("reissue", WEB_INTERFACE)
    proved(box, "acme")


def test_the_tpm_goes_away_and_comes_back(box):
    proved(box, "acme")
    box.tpm.stop()
    box.control.run("reissue", WEB_INTERFACE, check=False)
    certificates = certificates_where(box, lambda it: it["LastError"] or it["KeyBackend"] == "file",
                                      "an error or a fallback", names=[WEB_INTERFACE])
    assert "TPM" in certificates[WEB_INTERFACE]["LastError"] + certificates[WEB_INTERFACE]["KeyReason"]
    box.tpm.start()
    box.control.run("reissue", WEB_INTERFACE)
    certificates = certificates_where(box, lambda it: it["KeyBackend"] == "tpm" and it["Proof"] == "proved",
                                      "key in the TPM again", names=[WEB_INTERFACE])
    assert box.look(WEB_INTERFACE).verified


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_wrong_acme_server_gets_a_plain_error_and_nothing_is_lost(make_box, behaviour):
    box = make_box(ca=None)
    server = HostileServer(box.folder / "hostile", behaviour)
    try:
        box.manager.configure(box.keyd.socket, box.provider, {"hostile": server})
        box.start()
        certificates = certificates_where(box, lambda it: it["State"] == "local" and it["LastError"], "error of ACME")
        for certificate in certificates.values():
            assert len(certificate["LastError"]) < 600, "a sentence, not a page"
        certificates_where(box, lambda it: it["Proof"] == "proved", "proof of the local certificate")
        assert box.manager.process.running()
        assert all(box.look_locally(name).verified for name in namespace.NAMES)
    finally:
        server.stop()
