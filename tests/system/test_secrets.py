"""No secret leaves its place: keys stay with keyd, tokens stay out of logs, files have the rights they should."""

import base64
import re
import stat

from acme_proxy import AcmeProxy
from await_state import proved
from box import QUICK, WEB_INTERFACE, namespace
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

# PKCS#8 and the traditional forms (RFC 5958, RFC 5915, RFC 8017) start so in DER.
PRIVATE_PEM = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
TOKEN = re.compile(r"/\.well-known/acme-challenge/([A-Za-z0-9_-]{20,})")


def secret_numbers(content):
    """The secret part of every private key that can be found in a file of keyd, as bytes."""
    for start in (match.start() for match in re.finditer(rb"\x30[\x81\x82\x77]", content)):
        try:
            key = load_der_private_key(_element(content[start:]), password=None)
        except (ValueError, TypeError):
            continue
        yield _number(key)
    for block in re.findall(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", content, re.DOTALL):
        yield _number(load_pem_private_key(block, password=None))


def _element(content):
    """Cuts behind the first DER element (X.690 8.1.3)."""
    length, header = content[1], 2
    if length & 0x80:
        header += length & 0x7F
        length = int.from_bytes(content[2:header], "big")
    return content[:header + length]


def _number(key):
    numbers = key.private_numbers()
    assert isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey))
    value = numbers.private_value if isinstance(key, ec.EllipticCurvePrivateKey) else numbers.d
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def written_by_the_run(box):
    """All files below the box but keyd's own, the TPM's, and those of the ACME server."""
    foreign = {box.keyd.folder, box.folder / "tpm", box.folder / "pebble"}
    for file in box.folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and not foreign & set(file.parents):
            yield file


def test_no_private_key_outside_keyd(make_box):
    box = make_box(pebble_environment=QUICK, key_policy="file", tpm=False)
    box.start()
    proved(box, "acme")
    numbers = {number for file in box.keyd.folder.rglob("*") if file.is_file()
               for number in secret_numbers(file.read_bytes())}
    assert len(numbers) >= len(namespace.NAMES), "the keys of this run were found, so that they can be looked for"
    needles = {form for number in numbers for form in (number, number.hex().encode(), base64.b64encode(number)[:-4])}
    for file in written_by_the_run(box):
        content = file.read_bytes()
        found = PRIVATE_PEM.search(content)
        assert not found or b"CERTMGR" in found.group(), f"{file} holds a private key block"
        assert not any(needle in content for needle in needles), f"{file} holds a private key"


def test_no_token_in_any_log(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    tokens = set(TOKEN.findall(box.ca.log.read_text()))
    assert tokens, "the tokens of this run were found, so that they can be looked for"
    for name in ("certmgrd", "keyd", "responder", "polkitd"):
        log = (box.folder / f"log/{name}.log").read_text(errors="replace")
        assert not any(token in log for token in tokens), f"{name}.log holds a challenge token"
    left = list((box.folder / "challenges").iterdir())
    assert left == [], "no challenge is left when all is done"


def test_no_nonce_in_any_file(make_box):
    box = make_box(pebble_environment={**QUICK, "PEBBLE_WFE_NONCEREJECT": "30"})
    nonces = set()

    def note(_, ask):
        answer = ask()
        nonces.add(answer.headers.get("Replay-Nonce", "").encode())
        return answer

    proxy = AcmeProxy(box.folder / "proxy", box.ca, note)
    try:
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
        box.start()
        proved(box, "acme")
        nonces.discard(b"")
        assert len(nonces) >= 4 * len(namespace.NAMES), "the nonces of this run were seen"
        for file in set(written_by_the_run(box)) - {box.ca.log}:
            content = file.read_bytes()
            assert not any(nonce in content for nonce in nonces), f"{file} holds a replay nonce"
    finally:
        proxy.stop()


def test_rights_of_files(box):
    proved(box, "acme")
    mode = stat.S_IMODE(box.keyd.folder.stat().st_mode)
    assert mode == 0o700
    for file in box.keyd.folder.rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, f"{file} can be read by others"
    for file in box.manager.state.rglob("*"):
        if not file.is_symlink():
            assert stat.S_IMODE(file.stat().st_mode) & 0o022 == 0, f"{file} can be written by others"
    live = box.manager.live("web-interface", WEB_INTERFACE)
    assert {file.name for file in live.iterdir()} >= {"fullchain.pem", "key.pem"}
    assert live.is_symlink()
