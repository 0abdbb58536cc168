"""A chain of the administrator's own wins, and a bad one changes nothing."""

import tempfile

import pytest
from await_state import certificates_where, proved
from box import WEB_INTERFACE, namespace
from box.process import run


class CompanyCa:
    """A CA outside of the product, made with openssl: a root that issues leaves."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "root.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=Company root", "-keyout", folder / "root.key", "-out", self.root])

    def issue(self, name, days=20, key_type=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """(certificate, key) as PEM texts."""
        certificate, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        run(["openssl", "req", "-newkey", *key_type, "-nodes", "-subj", f"/CN={name}",
             "-addext", f"subjectAltName=DNS:{name}", "-addext", "extendedKeyUsage=serverAuth", "-keyout", key,
             "-out", request])
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.folder / "root.key",
             "-days", str(days), "-copy_extensions", "copyall", "-out", certificate])
        return certificate.read_text(), key.read_text()


@pytest.fixture
def company(tmp_path):
    return CompanyCa(tmp_path)


def upload(box, tmp_path, content, *options):
    file = tmp_path / "upload.pem"
    file.write_text(content)
    return box.control.run("upload", str(file), *options, check=False)


def test_an_uploaded_chain_wins(box, company, tmp_path):
    proved(box, "acme")
    certificate, key = company.issue(WEB_INTERFACE)
    # The blocks may come in any order, and the root may be among them.
    answer = upload(box, tmp_path, company.root.read_text() + key + certificate)
    assert answer.returncode == 0, answer.stdout
    proved(box, "uploaded", names=[WEB_INTERFACE])
    seen = box.look_trusting(WEB_INTERFACE, company.root.read_text(), "company-root.pem")
    assert seen.verified, seen.output
    assert proved(box, "acme", names=namespace.NAMES[1:])


def test_an_ed25519_key_is_served_by_its_reference(box, company, tmp_path):
    certificate, key = company.issue(WEB_INTERFACE, key_type=("ed25519",))
    answer = upload(box, tmp_path, company.root.read_text() + key + certificate)
    assert answer.returncode == 0, answer.stdout
    proved(box, "uploaded", names=[WEB_INTERFACE])
    seen = box.look_trusting(WEB_INTERFACE, company.root.read_text(), "company-root.pem")
    assert seen.verified, seen.output
    assert "PRIVATE KEY" not in (box.manager.live("web-interface", WEB_INTERFACE) / "key.pem").read_text()


def pkcs12_of(company, passphrase):
    certificate, key = (company.folder / f"{WEB_INTERFACE}.{kind}" for kind in ("pem", "key"))
    file = company.folder / "gateway.p12"
    run(["openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-certfile", company.root, "-passout",
         f"pass:{passphrase}", "-out", file])
    return file


def upload_with_passphrase(box, file, passphrase):
    with tempfile.TemporaryFile() as line:
        line.write(passphrase.encode() + b"\n")
        line.seek(0)
        return box.control.run("upload", str(file), "--passphrase-fd", "0", check=False, stdin=line)


def test_pkcs12_is_opened_by_its_passphrase_and_by_no_other(box, company):
    before = proved(box, "acme")
    company.issue(WEB_INTERFACE)
    file = pkcs12_of(company, "correct horse")
    without = box.control.run("upload", str(file), check=False)
    assert without.returncode != 0
    assert "--passphrase" in without.stdout
    wrong = upload_with_passphrase(box, file, "wrong horse")
    assert wrong.returncode != 0
    assert "cannot be decrypted with this passphrase" in wrong.stdout
    assert "horse" not in without.stdout + wrong.stdout
    assert box.control.certificates()[WEB_INTERFACE]["Sha256"] == before[WEB_INTERFACE]["Sha256"]
    answer = upload_with_passphrase(box, file, "correct horse")
    assert answer.returncode == 0, answer.stdout
    proved(box, "uploaded", names=[WEB_INTERFACE])
    seen = box.look_trusting(WEB_INTERFACE, company.root.read_text(), "company-root.pem")
    assert seen.verified, seen.output


def test_a_dry_run_changes_nothing(box, company, tmp_path):
    before = proved(box, "acme")
    certificate, key = company.issue(WEB_INTERFACE)
    assert upload(box, tmp_path, certificate + company.root.read_text() + key, "--dry-run").returncode == 0
    after = box.control.certificates()
    assert after[WEB_INTERFACE]["Sha256"] == before[WEB_INTERFACE]["Sha256"]


def bad_uploads(company):
    certificate, key = company.issue(WEB_INTERFACE)
    other_certificate, other_key = company.issue("other.example.com")
    expired, expired_key = company.issue("old.example.com", days=-1)
    root = company.root.read_text()
    return {
        "no PEM": "this is not PEM\n",
        "empty": "",
        "no key": certificate + root,
        "no certificate": key,
        "foreign key": certificate + root + other_key,
        "damaged block": certificate.replace("M", "!", 1) + key,
        "chain incomplete and unrelated": certificate + other_certificate + key,
        "expired": expired + root + expired_key,
        "huge": certificate * 1000 + key,
    }


def test_bad_uploads_get_a_plain_error_and_change_nothing(box, company, tmp_path):
    before = proved(box, "acme")
    for kind, content in bad_uploads(company).items():
        answer = upload(box, tmp_path, content)
        assert answer.returncode != 0, f"{kind} was taken"
        assert answer.stdout.strip(), f"{kind}: nothing was said"
        assert "Traceback" not in answer.stdout and "terminate" not in answer.stdout
        assert len(answer.stdout.strip().splitlines()) <= 3, f"{kind}: {answer.stdout}"
    after = certificates_where(box, lambda it: it["Proof"] == "proved", "proof")
    assert {it["Sha256"] for it in after.values()} == {it["Sha256"] for it in before.values()}
