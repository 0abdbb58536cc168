"""The accounts at a CA: bound to a customer, with another key, given up, lost (RFC 8555 7.3); and a CA for trials."""

import json
import shutil
import urllib.request

import pytest
from acme_proxy import AcmeProxy, Answer
from await_state import certificates_where, proved
from box import QUICK, namespace
from box.acme import Pebble

KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
OTHER = "b10lLJs8l1GPIzsLP0s6pMt8O0XVGnfTaCeROxQM0BIt2XrJMDHJZBM5NuQmQJQH"
CUSTOMERS_ONLY = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": KEY}}


def bind(box, key):
    """The table of the CA is the last one."""
    file = box.folder / "eab.key"
    file.write_text(f"{key}\n")
    file.chmod(0o600)
    shutil.chown(file, "certmgr", "certmgr")
    text = box.manager.configuration.read_text()
    if "eab_key_id" not in text:
        box.manager.configuration.write_text(text + f'eab_key_id = "kid-1"\neab_key_file = "{file}"\n')


def failed(box, words):
    return certificates_where(box, lambda it: words in it["LastError"], f"an error with \"{words}\"")


@pytest.mark.parametrize("release", ["pebble", "debian-pebble"])
def test_a_ca_of_customers(make_box, release):
    box = make_box(ca=release, tpm=False, pebble_environment=QUICK, pebble_arguments=["-strict"],
                   pebble_settings=CUSTOMERS_ONLY)
    box.start()
    failed(box, "set eab_key_id and eab_key_file")
    assert box.ca.count("/nonce-plz") == 0, "one request was enough: the directory"

    bind(box, OTHER)
    box.manager.restart()
    for name in namespace.NAMES:
        box.control.run("reissue", name, check=False)
    shown = failed(box, "compare eab_key_id and eab_key_file")
    assert all("newAccount: " in it["LastError"] for it in shown.values()), "in the CA's words too"
    account, = box.control.json("acme", "list")
    assert (account["Account"], account["ExternalKey"]) == ("", "")

    bind(box, KEY)
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    proved(box, "acme")
    account, = box.visitor.json("acme", "list")
    assert account["Account"].startswith("https://") and account["ExternalKey"] == "kid-1"
    assert account["TermsAgreed"] == account["Terms"] != "" and account["TermsAgreedAt"] > 0
    assert box.ca.count("POST /order-plz") == len(namespace.NAMES), "nothing was ordered before"
    for log in (box.folder / "log").iterdir():
        if log != box.ca.log:
            assert KEY not in log.read_text(errors="replace") and OTHER not in log.read_text(errors="replace")


def account_of(box):
    account, = box.control.json("acme", "list")
    return account["Account"]


def all_reissued(box):
    before = box.control.certificates()
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    certificates_where(box, lambda it: it["State"] == "acme" and it["Proof"] == "proved"
                       and it["Serial"] != before[it["Id"]]["Serial"], "another certificate")


@pytest.mark.parametrize("release", ["pebble", "debian-pebble"])
def test_the_life_of_an_account(make_box, release):
    box = make_box(ca=release, tpm=False, pebble_environment=QUICK, pebble_arguments=["-strict"])
    box.start()
    proved(box, "acme")
    first = account_of(box)
    assert box.control.run("acme", "rollover", "absent", check=False).returncode != 0

    box.control.run("acme", "rollover", release)
    assert account_of(box) == first
    all_reissued(box)
    assert account_of(box) == first, "the same account, by another key"

    serials = {name: it["Serial"] for name, it in box.control.certificates().items()}
    box.control.run("acme", "deactivate", release)
    assert account_of(box) == ""
    assert serials == {name: it["Serial"] for name, it in box.control.certificates().items()}
    all_reissued(box)
    second = account_of(box)
    assert second not in ("", first), "the next order made another"

    box.ca.stop_answering()  # a Pebble that begins anew knows nobody
    box.ca.start()
    all_reissued(box)
    assert account_of(box) != ""


def test_the_ca_itself_has_deactivated_the_account(make_box):
    box = make_box(tpm=False, pebble_environment=QUICK, sites=False)
    answers = []

    def keep(resource, ask):
        answers.append((resource, ask()))
        return answers[-1][1]

    proxy = AcmeProxy(box.folder / "proxy", box.ca, keep)
    box.add(proxy)
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
    box.manager.start()
    box.control.run("request", "vpn.example.com")
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", ["vpn.example.com"])
    account = account_of(box)
    answers.clear()
    box.control.run("acme", "deactivate", "pebble")
    (resource, answer), = answers
    assert account.endswith(resource) and (answer.status, answer.json["status"]) == (200, "deactivated")


@pytest.mark.parametrize("taken", [True, False])
def test_a_lost_answer_to_the_change_of_a_key(make_box, taken):
    """Whether the CA has taken the new key or not: the account goes on."""
    box = make_box(tpm=False, pebble_environment=QUICK, pebble_arguments=["-strict"])
    asked = []

    def change(resource, ask):
        if resource != "keyChange":
            return ask()
        asked.append(resource)
        answer = ask() if taken else Answer(500, {}, b"")
        answer.sent = 0
        return answer

    proxy = AcmeProxy(box.folder / "proxy", box.ca, change)
    try:
        box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
        box.start()
        proved(box, "acme")
        account = account_of(box)
        assert box.control.run("acme", "rollover", "pebble", check=False).returncode == 1
        assert asked
        box.manager.restart()
        all_reissued(box)
        assert account_of(box) == account
        assert box.ca.count("POST /order-plz") == 2 * len(namespace.NAMES)
    finally:
        proxy.stop()


def lead_names_to(address, *cas):
    for ca in cas:
        urllib.request.urlopen(f"http://127.0.0.1:{ca.dns_management}/set-default-ipv4",
                               data=json.dumps({"ip": address}).encode(), timeout=10).close()


@pytest.fixture
def staging(make_box):
    """A box with a second Pebble, which its CA has for trials."""
    box = make_box(tpm=False, pebble_environment=QUICK, pebble_arguments=["-strict"])
    folder = box.folder / "trials"
    (folder / "log").mkdir(parents=True)
    trial = Pebble(folder, box.manager.challenge_port, QUICK)
    try:
        (folder / "trial.toml").write_text(f'directory = "{trial.directory}"\ntrust_file = "{trial.trust_file}"\n')
        settings = box.manager.configuration
        settings.write_text(settings.read_text().replace("[acme]\n", f'[acme]\nca_directories = ["{folder}"]\n')
                            + 'staging = "trial"\n')
        yield box, trial
    finally:
        trial.stop()


def test_a_second_try_is_a_trial(staging):
    box, trial = staging
    lead_names_to("127.0.0.9", box.ca, trial)  # where nobody answers
    box.start()
    certificates_where(box, lambda it: it["LastError"] != "", "a refusal")
    orders = box.ca.count("POST /order-plz")
    assert trial.count("POST /order-plz") == 0, "the first attempt is none"
    for tries in (1, 2):
        for name in namespace.NAMES:
            box.control.run("reissue", name, check=False)
        failed(box, "the trial at trial; pebble was not asked")
        assert trial.count("POST /order-plz") == tries * len(namespace.NAMES)
    assert box.ca.count("POST /order-plz") == orders

    lead_names_to("127.0.0.1", box.ca, trial)
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    proved(box, "acme")
    assert all(box.look(name).verified for name in namespace.NAMES), "by the CA itself, not the one for trials"
    assert box.ca.count("POST /order-plz") == orders + len(namespace.NAMES)
    assert [account["Name"] for account in box.control.json("acme", "list") if account["ForTests"]] == ["trial"]
