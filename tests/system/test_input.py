"""Bad input: each gets a plain error, nothing changes, the daemon stays up."""

import pytest
from await_state import proved
from box import namespace
from box.process import run

BAD_NAMES = {
    "empty": "",
    "a label too long": "a" * 64 + ".example.com",
    "longer than DNS allows": ".".join(["abcdefgh"] * 29) + ".example.com",
    "empty label": "a..example.com",
    "space": "a b.example.com",
    "IDN in Unicode": "bücher.example.com",
    "wildcard inside": "a.*.example.com",
    "shell characters": "$(reboot).example.com",
    "slash": "../../etc/passwd",
    "a number at the end": "1.2.3.4.5",
}


@pytest.fixture(scope="module")
def quiet_box():
    """Without ACME: these inputs never get so far."""
    from box import Box
    with Box(ca=None) as gateway:
        gateway.start()
        proved(gateway, "local")
        yield gateway


@pytest.mark.parametrize("kind", BAD_NAMES)
def test_bad_names_are_refused(quiet_box, kind):
    answer = quiet_box.control.run("request", "--", BAD_NAMES[kind], check=False)
    assert answer.returncode != 0
    assert answer.stdout.strip(), "nothing was said"
    assert len(answer.stdout.strip().splitlines()) <= 2, answer.stdout
    assert set(quiet_box.control.certificates()) == set(namespace.NAMES)
    assert quiet_box.manager.process.running()


@pytest.mark.parametrize("command", [["show"], ["reissue"], ["delete"]])
def test_unknown_certificates_are_named(quiet_box, command):
    answer = quiet_box.control.run(*command, "nobody.example.com", check=False)
    assert answer.returncode != 0
    assert "nobody.example.com" in answer.stdout


def test_an_unknown_service_is_named(quiet_box):
    answer = quiet_box.control.run("service", "check", "teapot", check=False)
    assert answer.returncode != 0
    assert "teapot" in answer.stdout


def test_unknown_arguments_get_a_usage(quiet_box):
    answer = quiet_box.control.run("frobnicate", check=False)
    assert answer.returncode == 2
    assert "--help" in answer.stdout


def test_settings_that_are_named_are_not_replaced_by_defaults(quiet_box):
    answer = run([quiet_box.manager.program, "--check", "--config", "/nowhere/certmgr.toml"], check=False)
    assert answer.returncode != 0
    assert "/nowhere/certmgr.toml" in answer.stdout


@pytest.mark.parametrize("name, content, words", [
    ("certmgr.toml", 'state_directory = "/x\n', ["certmgr.toml", "1"]),
    ("certmgr.toml", 'state_directroy = "/x"\n', ["certmgr.toml", "state_directroy", "state_directory"]),
    ("certmgr.toml", '[daemon]\nworkers = "many"\n', ["certmgr.toml", "workers", "whole number"]),
    ("certmgr.toml", '[keys]\npolicy = "cloud"\n', ["certmgr.toml", "cloud", "prefer-tpm"]),
    ("services.d/web-interface.toml", 'names = ["gw.example.com"]\nunit = "nginx.service"\n[probe]\nport = 70000\n', ["web-interface.toml", "70000"]),
])
def test_malformed_settings_are_refused_with_file_and_reason(make_box, name, content, words):
    box = make_box(ca=None)
    file = box.folder / name
    file.write_text(content)
    box.manager.launch()
    assert box.manager.process.child.wait(10) != 0
    said = box.manager.log.read_text()
    assert all(word in said for word in words), said
    assert len(said.strip().splitlines()) <= 3, said


def test_without_the_daemon_or_the_bus_certmgrctl_says_so_in_a_sentence(make_box):
    box = make_box(ca=None)
    answer = box.control.run("list", check=False)
    assert answer.returncode != 0
    assert len(answer.stdout.strip().splitlines()) == 1, answer.stdout
    box.bus.stop()
    answer = box.control.run("list", check=False)
    assert answer.returncode != 0
    assert len(answer.stdout.strip().splitlines()) == 1, answer.stdout
