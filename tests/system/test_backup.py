"""The state of a box in one encrypted file, and that on a box with another TPM."""

import tempfile

from await_state import certificates_where, proved
from box import PROXIED, QUICK, WEB_INTERFACE, namespace
from box.process import wait_until
from durable_steps import KilledAfterStep
from test_durability import killed_before_the_end, pairs_match
from test_upload import CompanyCa, upload

PASSPHRASE = "correct horse battery"
FILE_NAME = PROXIED[0]  # the one whose key is in a file


def with_passphrase(box, *arguments, passphrase=PASSPHRASE, user=None):
    with tempfile.TemporaryFile() as line:
        line.write(passphrase.encode() + b"\n")
        line.seek(0)
        return (user or box.control).run(*map(str, arguments), "--passphrase-fd", "0", check=False, stdin=line)


def put_one_key_into_a_file(box):
    profile = box.manager.services / "reverse-proxy.toml"
    lines = [line for line in profile.read_text().splitlines() if not line.startswith("names =")]
    tables = "".join(f'\n[[certificate]]\nnames = ["{name}"]\n' for name in PROXIED)
    profile.write_text("\n".join(lines) + tables.replace(f'["{FILE_NAME}"]', f'["{FILE_NAME}"]\nkey_policy = "file"'))


def box_with_all(make_box, tmp_path):
    """Keys in TPM and file, an account, an uploaded chain; returns the box and its backup."""
    box = make_box(pebble_environment=QUICK)
    put_one_key_into_a_file(box)
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


def await_state_of(box, sha256):
    """certmgrd leaves the bus for a moment to begin anew."""
    wait_until("restored state", lambda: sha256 in box.control.run("list", "--json", check=False).stdout)


def test_restored_with_another_tpm(make_box, tmp_path):
    old, file, said = box_with_all(make_box, tmp_path)
    assert WEB_INTERFACE in said and FILE_NAME not in said, said
    before = old.control.certificates()
    assert (before[WEB_INTERFACE]["KeyBackend"], before[FILE_NAME]["KeyBackend"]) == ("tpm", "file")
    accounts = old.ca.count("POST /sign-me-up")
    old.manager.stop()
    old.nginx.stop()

    box = make_box(ca=None)
    put_one_key_into_a_file(box)
    box.start()
    proved(box, "local")
    fresh_keys = state_of(box)[1]
    rehearsal = with_passphrase(box, "restore", file, "--dry-run")
    assert rehearsal.returncode == 0 and WEB_INTERFACE in rehearsal.stdout, rehearsal.stdout
    assert state_of(box)[1] == fresh_keys
    # The ACME server, which goes on, asks where it asked before; certmgrd reads its settings anew after a restore.
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": old.ca})
    settings = box.manager.configuration.read_text()
    box.manager.configuration.write_text(settings.replace(str(box.folder / "challenges"), str(old.folder / "challenges"))
                                         .replace(f"challenge_port = {box.manager.challenge_port}",
                                                  f"challenge_port = {old.manager.challenge_port}"))
    answer = with_passphrase(box, "restore", file)
    assert answer.returncode == 0, answer.stdout
    for anew in (f"key and certificate of {WEB_INTERFACE}", "the root CA"):
        assert anew in answer.stdout
    assert FILE_NAME not in answer.stdout

    await_state_of(box, before[FILE_NAME]["Sha256"])
    after = certificates_where(box, lambda it: it["Proof"] == "proved", "proof after the restore", limit=60)
    assert after[FILE_NAME]["Sha256"] == before[FILE_NAME]["Sha256"], "a file key keeps its certificate"
    assert after[PROXIED[1]]["Sha256"] == before[PROXIED[1]]["Sha256"], "so does an upload"
    assert after[WEB_INTERFACE]["Sha256"] != before[WEB_INTERFACE]["Sha256"], "a TPM key has to be another one"
    proved(box, "acme", names=[WEB_INTERFACE, FILE_NAME])
    for name in namespace.NAMES:
        assert box.look_locally(name).leaf, f"nginx serves {name}"
    assert old.ca.count("POST /sign-me-up") == accounts, "no other account was asked for"


def test_killed_at_every_second_durable_step_of_a_restore(make_box, tmp_path):
    box, file, _ = box_with_all(make_box, tmp_path)
    in_backup = box.control.certificates()[FILE_NAME]["Sha256"]
    box.control.run("reissue", FILE_NAME)
    not_in_backup = certificates_where(box, lambda it: it["Sha256"] != in_backup and it["Proof"] == "proved",
                                       "another certificate", names=[FILE_NAME])[FILE_NAME]["Sha256"]
    step, seen, completed = 0, [], False
    while not completed:
        step += 2  # each costs a start under strace
        assert step < 100, "the restore never comes to its end"
        box.manager.stop()
        killer = KilledAfterStep(box, step)
        box.manager.start(killer.wrapper, limit=60)
        certificates_where(box, lambda it: it["Proof"] == "proved" and not it["Activity"], "peace", limit=60)
        killer.arm()
        with_passphrase(box, "restore", file)
        completed = not killed_before_the_end(box, killer)
        if completed:
            killer.end(box.manager)
        box.manager.start()
        seen.append(proved(box, "acme", names=[FILE_NAME])[FILE_NAME]["Sha256"])
        pairs_match(box)
        for name in namespace.NAMES:
            assert box.look(name).leaf, f"no TLS after a kill at step {step}"
    # The old state up to one step, and from there on the restored one.
    change = seen.index(in_backup)
    assert change > 0 and seen == [not_in_backup] * change + [in_backup] * (len(seen) - change), seen


def test_what_is_no_whole_backup_changes_nothing(make_box, tmp_path):
    box, file, _ = box_with_all(make_box, tmp_path)
    more = [f"more-{number}.example.com" for number in range(30)]
    for name in more:
        box.control.run("request", name, "--no-acme")
    certificates_where(box, lambda it: it["State"] == "local", "local certificate", names=more)
    file.unlink()
    assert with_passphrase(box, "backup", "--output", file).returncode == 0
    before = state_of(box)
    content = file.read_bytes()
    assert len(content) > 100 * 1024, "more than one chunk"
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
