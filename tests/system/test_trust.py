"""The box's own root in the trust store of the system, by the real update-ca-certificates."""

import pathlib
import shutil

import pytest
from box import Box, namespace
from box.process import run, wait_until

STORE = pathlib.Path("/etc/ssl/certs")
ADDED = pathlib.Path("/usr/local/share/ca-certificates")
UPDATE = namespace.ROOTFS / "usr/libexec/certmgr/system-trust-update"


@pytest.fixture
def trust_store(tmp_path):
    """Copies of both folders, in our mount namespace: the machine's own stay as they are."""
    for folder in (STORE, ADDED):
        copy = tmp_path / folder.name
        shutil.copytree(folder, copy, symlinks=True)
        copy.chmod(0o755)
        run(["mount", "--bind", copy, folder])
    yield
    for folder in (STORE, ADDED):
        run(["umount", folder])


@pytest.fixture
def box(trust_store):
    with Box(ca=None, tpm=False, sites=False) as gateway:
        gateway.systemd.unit("certmgr-trust.service",
                             start=f"exec {UPDATE} {gateway.manager.state}/authority/system-trust.pem")
        gateway.manager.start()
        yield gateway


def content():
    """Of all that programs read: the bundle, and each link of the hashed folder."""
    return {file.name: file.readlink() if file.is_symlink() else file.read_bytes()
            for file in STORE.iterdir() if not file.is_dir()}


def own(box):
    return [anchor for anchor in box.control.json("trust", "list") if anchor["Own"]]


def trusted_by_openssl(box):
    root = box.folder / "root.pem"
    root.write_text(box.control.run("authority", "download").stdout)
    return run(["openssl", "verify", root], check=False).returncode == 0


def test_own_root_is_added_follows_a_new_one_and_is_removed_cleanly(box):
    run(["update-ca-certificates"])
    before = content()
    assert not own(box)
    assert not trusted_by_openssl(box)

    box.control.run("trust", "add")
    assert len(own(box)) == 1
    assert trusted_by_openssl(box)
    assert all((STORE / name).exists() for name in content()), "no dangling link"

    box.control.run("authority", "reissue")
    wait_until("the new root in the trust store", lambda: len(own(box)) == 2)
    assert trusted_by_openssl(box)

    box.control.run("trust", "remove")
    assert content() == before
    assert not (ADDED / "certmgr").exists()
    assert not trusted_by_openssl(box)


def test_roots_of_others_stay(box):
    other = ADDED / "company.crt"
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-out", other, "-subj",
         "/CN=Company root", "-days", "30"])
    box.control.run("trust", "add")
    box.control.run("trust", "remove")
    assert other.exists()
    assert run(["openssl", "verify", other], check=False).returncode == 0


def test_a_unit_that_fails_is_said(box):
    box.systemd.unit("certmgr-trust.service", start="exit 1")
    answer = box.control.run("trust", "add", check=False)
    assert answer.returncode == 1
    assert "journalctl -u certmgr-trust.service" in answer.stdout


def test_who_has_no_right_changes_nothing(box):
    assert box.visitor.run("trust", "add", check=False).returncode == 4
    assert box.visitor.run("trust", "list").returncode == 0
    assert not own(box)


@pytest.mark.parametrize("junk", ["", "hello\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_nothing_but_certificates_gets_in(trust_store, tmp_path, junk):
    run(["update-ca-certificates"])
    before = content()
    file = tmp_path / "roots.pem"
    file.write_text(junk)
    assert (run([UPDATE, file], check=False).returncode == 0) == ("BEGIN" not in junk)
    assert content() == before
