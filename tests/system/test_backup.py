"""The state of a box in one encrypted file, and that on a box with another TPM."""

import tempfile

from await_state import certificates_where, proved
from box import PROXIED, QUICK, WEB_INTERFACE, namespace
from test_upload import CompanyCa, upload

PASSPHRASE = "correct horse battery"
FILE_NAME = PROXIED[0]  # the one whose key is in a file


def with_passphrase(box, *arguments, passphrase=PASSPHRASE, user=None):
    with tempfile.TemporaryFile() as line:
        line.write(passphrase.encode() + b"\n")
        line.seek(0)
        return (user or box.control).run(*map(str, arguments), "--passphrase-fd", "0", check=False, stdin=line)


def box_with_all(make_box, tmp_path):
    """Keys in TPM and file, an account, an uploaded chain; returns the box and its backup."""
    box = make_box(pebble_environment=QUICK)
    box.manager.drop_in("reverse-proxy", "10-keys", key_policy="file")
    box.start()
    proved(box, "acme")
    company = CompanyCa(tmp_path)
    certificate, key = company.issue(PROXIED[1])
    assert upload(box, tmp_path, company.root.read_text() + key + certificate).returncode == 0
    proved(box, "uploaded", names=[PROXIED[1]])
    file = tmp_path / "backup"
    answer = with_passphrase(box, "backup", "--output", file)
    assert answer.returncode == 0, answer.stdout
    return box, file, answer.stdout


def state_of(box):
    keys = sorted(file.name for file in (box.folder / "keys").iterdir())
    return {name: it["Sha256"] for name, it in box.control.certificates().items()}, keys


def test_restored_with_another_tpm(make_box, tmp_path):
    old, file, said = box_with_all(make_box, tmp_path)
    assert WEB_INTERFACE in said and FILE_NAME not in said, said
    before = old.control.certificates()
    assert (before[WEB_INTERFACE]["KeyBackend"], before[FILE_NAME]["KeyBackend"]) == ("tpm", "file")
    accounts = old.ca.count("POST /sign-me-up")
    old.manager.stop()
    old.nginx.stop()

    # The ACME server goes on: the account at it must too.
    box = make_box(ca=None)
    box.manager.drop_in("reverse-proxy", "10-keys", key_policy="file")
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": old.ca})
    old.ca.stop_answering()
    box.start()
    proved(box, "local")
    fresh_keys = set(state_of(box)[1])
    rehearsal = with_passphrase(box, "restore", file, "--dry-run")
    assert rehearsal.returncode == 0 and WEB_INTERFACE in rehearsal.stdout, rehearsal.stdout
    assert set(state_of(box)[1]) == fresh_keys
    answer = with_passphrase(box, "restore", file)
    assert answer.returncode == 0, answer.stdout
    for anew in (f"key and certificate of {WEB_INTERFACE}", "the root CA"):
        assert anew in answer.stdout
    assert FILE_NAME not in answer.stdout

    after = certificates_where(box, lambda it: it["Proof"] == "proved", "proof after the restore", limit=60)
    assert after[FILE_NAME]["Sha256"] == before[FILE_NAME]["Sha256"], "a file key keeps its certificate"
    assert after[PROXIED[1]]["Sha256"] == before[PROXIED[1]]["Sha256"], "so does an upload"
    assert after[WEB_INTERFACE]["Sha256"] != before[WEB_INTERFACE]["Sha256"], "a TPM key has to be another one"
    for name in namespace.NAMES:
        assert box.look_locally(name).leaf, f"nginx serves {name}"
    assert old.ca.count("POST /sign-me-up") == accounts, "no other account was asked for"


def test_what_is_no_whole_backup_changes_nothing(make_box, tmp_path):
    box, file, _ = box_with_all(make_box, tmp_path)
    before = state_of(box)
    content = file.read_bytes()
    middle = len(content) // 2
    cases = {
        "foreign": b"PK\x03\x04" + content,
        "empty": b"",
        "newer": content.replace(b"certmgr-backup 1", b"certmgr-backup 2", 1),
        "truncated": content[:-1],
        "half": content[:middle],
        "header only": content[:81],
        "at a chunk's end": content[:81 + 64 * 1024 + 16],
        "longer": content + b"\0",
        **{f"octet {at}": content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
           for at in (0, 20, 60, 90, middle, len(content) - 1)},
    }
    for kind, damaged in cases.items():
        (tmp_path / "damaged").write_bytes(damaged)
        answer = with_passphrase(box, "restore", tmp_path / "damaged")
        assert answer.returncode != 0, f"{kind} was taken"
        assert len(answer.stdout.strip().splitlines()) == 1, f"{kind}: {answer.stdout}"
    assert "not the one of this backup" in with_passphrase(box, "restore", file, passphrase="wrong horse").stdout
    assert with_passphrase(box, "restore", file, user=box.visitor).returncode != 0
    assert state_of(box) == before
    assert not (box.manager.state / "restored").exists()
    assert not (box.manager.state / "restored.new").exists()
