"""certmgr-install: what is laid as root, for profiles that come, change and go."""

import pytest
from await_state import certificates_where
from box.process import run, wait_until

NAME, SERVICE = "late.example.com", "late"
REFERENCE = """names = ["late.example.com"]
users = ["www-data"]
reload_command = ["true"]
[probe]
kind = "none"
"""
FROM_A_FILE = 'key = "file"\nclient_crl = true\n' + REFERENCE


@pytest.fixture
def box(gateway):
    yield gateway
    (gateway.manager.services / f"{SERVICE}.toml").unlink(missing_ok=True)
    gateway.manager.restart()


def bring(box, profile):
    (box.manager.services / f"{SERVICE}.toml").write_text(profile)
    box.manager.restart()


def laid(box):
    return box.manager.installed / SERVICE / NAME / "current/key.pem"


def test_a_service_that_turns_to_a_key_file_gets_one_and_leaves_none_behind(box):
    bring(box, REFERENCE)
    certificates_where(box, lambda it: it["KeyBackend"] == "tpm", "key in the TPM", names=[NAME])
    bring(box, FROM_A_FILE)
    certificates_where(box, lambda it: it["KeyBackend"] == "file", "key in a file", names=[NAME])
    wait_until("the key file", laid(box).exists)
    assert "-----BEGIN PRIVATE KEY-----" in laid(box).read_text()
    assert laid(box).stat().st_mode & 0o777 == 0o600 and laid(box).stat().st_uid == 0
    (box.manager.services / f"{SERVICE}.toml").unlink()
    box.manager.restart()
    wait_until("its end", lambda: not (box.manager.installed / SERVICE).exists())
    wait_until("its message", lambda: "what was laid is removed" in box.manager.log.read_text())


def test_links_of_certmgrd_lead_nowhere(box):
    """Were certmgrd not itself any more: its files may be links to what root alone may read."""
    bring(box, FROM_A_FILE)
    copy = box.manager.installed / ".authority/client-ca.pem"
    wait_until("the copy", copy.exists)
    assert "BEGIN CERTIFICATE" in copy.read_text()
    secret = box.folder / "secret.pem"
    run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", secret])
    published = box.manager.state / "authority/client-ca.pem"
    good = published.read_text()
    unit = box.systemd.units / "certmgr-install@.service/start"
    published.unlink()
    published.symlink_to(secret)
    assert run([unit, SERVICE], check=False).returncode != 0
    published.unlink()
    published.write_text(good + secret.read_text())
    assert run([unit, SERVICE], check=False).returncode == 0
    assert copy.read_text() == good
    published.write_text(good)


def test_what_nothing_was_laid_for_is_said(box):
    answer = run([box.systemd.units / "certmgr-install@.service/start", "nobody"], check=False)
    assert answer.returncode == 1
    assert 'no profile "nobody" has key = "file"' in answer.stdout
