"""The gateway as it boots: its units, sandboxes, polkit rules and profiles under a real systemd, with the real services.

One machine for all of it: a test that breaks something mends it.
"""

import json
import re

import pytest
from box.machine import Machine
from box.namespace import REPOSITORY, ROOTFS
from box.process import wait_until

MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
WEB_INTERFACE, WEB_PORT = "gw.example.com", 443
KEY_FILE = "/var/lib/certmgr-install/key-file/files.example.com/current/key.pem"
# Each module, with its certificate, and the port where anybody can look at that.
MODULES = {
    "web-interface": (WEB_INTERFACE, WEB_PORT),
    "key-file": ("files.example.com", 8444),
    "haproxy": ("shop.example.com", 8443),
    "imap": ("mail.example.com", 993),
    "smtp": ("mail.example.com", 465),
    "cockpit": ("console.example.com", 9090),
    "ikev2": ("vpn.example.com", None),
    "openvpn": ("vpn.example.com", None),
    "forward-proxy": ("proxy.example.com", None),
}
NAMES = sorted({name for name, _ in MODULES.values()})


@pytest.fixture(scope="module")
def gateway():
    with Machine(REPOSITORY / "tests/data/gateway/etc",
                 enable=["certmgr-ikev2.socket", "cockpit.socket", "openvpn-server@server.service"]) as machine:
        yield machine


def await_proofs(gateway):
    """Returns the certificates by name."""
    control = gateway.control()

    def proved():
        return all(certificate["Proof"] == "proved" for certificate in control.certificates().values())

    try:
        wait_until("proof of all certificates", proved, 120, interval=0.2)
    except TimeoutError as error:
        raise AssertionError(f"{error}:\n{control.run('list').stdout}\n{gateway.journal('-u', 'certmgr')[-3000:]}") from None
    return control.certificates()


def serving(gateway, name=WEB_INTERFACE, port=WEB_PORT):
    seen = gateway.look(name, port)
    assert seen.verified, seen.output
    return seen.leaf


def restarted(gateway, before):
    """Waits until another certmgrd than `before` is up."""

    def another():
        return (gateway.property("certmgr", "MainPID") not in ("0", before)
                and gateway.property("certmgr", "ActiveState") == "active")

    wait_until("certmgrd started anew", another, 60, interval=0.1)


# ---- start

def test_it_comes_up_whole(gateway):
    failed = gateway.run("systemctl", "list-units", "--failed", "--no-legend", "--plain").stdout
    assert (gateway.state, failed) == ("running", ""), gateway.journal("-p", "warning")[-3000:]


@pytest.mark.parametrize("program", ["certmgr", "certmgr-keyd"])
def test_programs_run_as_users_of_their_own(gateway, program):
    assert gateway.property(program, "ActiveState") == "active"
    assert gateway.property(program, "Type") == "notify"
    owner = gateway.run("stat", "--format=%U", f"/proc/{gateway.property(program, 'MainPID')}").stdout.strip()
    assert owner == program


def test_keyd_is_started_by_its_socket(gateway):
    before = gateway.property("certmgr-keyd", "MainPID")
    gateway.run("systemctl", "stop", "certmgr-keyd.service", check=False)
    assert gateway.property("certmgr-keyd.socket", "ActiveState") == "active"
    gateway.control().run("reissue", WEB_INTERFACE)
    assert gateway.property("certmgr-keyd", "ActiveState") == "active"
    assert gateway.property("certmgr-keyd", "MainPID") != before


def test_the_responder_is_started_by_its_first_question(gateway):
    assert gateway.property("certmgr-responder", "ActiveState") == "inactive"
    gateway.run("sh", "-c", "echo of-nobody.thumbprint >/run/certmgr/challenges/of-nobody", user="certmgr")
    question = "printf 'GET /.well-known/acme-challenge/%s HTTP/1.0\\r\\n\\r\\n' $1 | socat -t 10 - TCP:127.0.0.1:8402"
    assert "of-nobody.thumbprint" in gateway.run("sh", "-c", question, "sh", "of-nobody").stdout
    assert " 404 " in gateway.run("sh", "-c", question, "sh", "of-somebody").stdout
    assert gateway.property("certmgr-responder", "ActiveState") == "active"


# ---- modules

def test_every_module_is_proved(gateway):
    assert sorted(await_proofs(gateway)) == NAMES


@pytest.mark.parametrize("module", MODULES)
def test_a_reissue_reaches_the_module(gateway, module):
    """By systemd's reload, or by root's oneshot unit, whatever its profile says; and polkit lets both be."""
    name, port = MODULES[module]
    before = await_proofs(gateway)[name]["Sha256"]
    leaf = serving(gateway, name, port) if port else None
    gateway.control().run("reissue", name)
    after = await_proofs(gateway)[name]["Sha256"]
    assert after != before
    assert leaf is None or serving(gateway, name, port) != leaf


def test_a_key_file_is_for_its_service_alone(gateway):
    assert gateway.run("stat", "--format=%a %U %G", KEY_FILE).stdout.split() == ["640", "root", "www-data"]
    assert "PRIVATE KEY" in gateway.run("cat", KEY_FILE, user="www-data").stdout
    for user in ("certmgr", "games"):
        assert "Permission denied" in gateway.run("cat", KEY_FILE, user=user, check=False).stdout


def test_a_reload_that_fails_rolls_back(gateway):
    before = serving(gateway)
    broken = gateway.tree / "etc/nginx/conf.d/broken.conf"
    broken.write_text("no directive of nginx;\n")
    gateway.control().run("reissue", WEB_INTERFACE, check=False)
    certificate = gateway.control().certificates()[WEB_INTERFACE]
    shown = gateway.control().run("show", WEB_INTERFACE).stdout
    assert certificate["Proof"] == "rolled-back", shown
    assert 'reload of nginx.service ended with "failed"' in shown
    assert serving(gateway) == before
    broken.unlink()
    gateway.control().run("reissue", WEB_INTERFACE)
    await_proofs(gateway)
    assert serving(gateway) != before


# ---- rights

@pytest.mark.parametrize("call, allowed", [
    (("ReloadUnit", "ss", "nginx.service", "replace"), True),
    (("StartUnit", "ss", "certmgr-install@key-file.service", "replace"), True),
    (("RestartUnit", "ss", "nginx.service", "replace"), False),
    (("StopUnit", "ss", "nginx.service", "replace"), False),
    (("ReloadUnit", "ss", "haproxy.service", "replace"), False),
    (("ReloadUnit", "ss", "dbus.service", "replace"), False),
    (("RestartUnit", "ss", "dbus.service", "replace"), False),
    (("StartUnit", "ss", "emergency.target", "isolate"), False),
    (("StopUnit", "ss", "certmgr-install@key-file.service", "replace"), False),
    (("StartUnit", "ss", "certmgr-install@..-..-evil.service", "replace"), False),
    (("StartUnit", "ss", "certmgr-keyd.service", "replace"), False),
    (("StartUnit", "ss", "certmgr-port@80.service", "replace"), False),
    (("RestartUnit", "ss", "certmgr-port@80.service", "replace"), False),
    (("ReloadOrRestartUnit", "ss", "certmgr-port@999999.service", "replace"), False),
    (("ReloadOrRestartUnit", "ss", "nginx.service", "replace"), False),
    (("KillUnit", "ssi", "nginx.service", "all", "9"), False),
    (("SetUnitProperties", "sba(sv)", "nginx.service", "true", "0"), False),
    (("StartTransientUnit", "ssa(sv)a(sa(sv))", "evil.service", "fail", "0", "0"), False),
    (("MaskUnitFiles", "asbb", "1", "nginx.service", "true", "true"), False),
    (("Reload", ""), False),
    (("Reboot", ""), False),
], ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else None)
def test_certmgr_may_reload_and_install_and_nothing_else(gateway, call, allowed):
    member, signature, *arguments = call
    answer = gateway.run("busctl", "call", *MANAGER, member, *([signature] if signature else []), *arguments,
                         user="certmgr", check=False)
    assert (answer.returncode == 0) == allowed, answer.stdout
    assert allowed or re.search("authentication required|Access denied|Permission denied", answer.stdout), answer.stdout


def test_nobody_may_do_what_certmgr_may(gateway):
    for verb, unit in (("ReloadUnit", "nginx.service"), ("StartUnit", "certmgr-install@key-file.service")):
        answer = gateway.run("busctl", "call", *MANAGER, verb, "ss", unit, "replace", user="games", check=False)
        assert "authentication required" in answer.stdout
    assert gateway.control("games").run("list", check=False).returncode == 0
    assert gateway.control("games").run("reissue", WEB_INTERFACE, check=False).returncode == 4


# ---- ports

def call_as_certmgr(gateway, member, unit):
    gateway.run("busctl", "call", *MANAGER, member, "ss", unit, "replace", user="certmgr")


def test_a_port_is_opened_again_and_closed_by_certmgr_and_with_it(gateway):
    unit = "certmgr-port@80.service"

    def open_ports():
        return gateway.run("nft", "list", "set", "inet", "filter", "certmgr_open_ports").stdout

    def await_state(state):
        wait_until(f"{unit} {state}", lambda: gateway.property(unit, "ActiveState") == state)

    gateway.run("nft", "add table inet filter; add set inet filter certmgr_open_ports { type inet_service; flags timeout; }")
    call_as_certmgr(gateway, "ReloadOrRestartUnit", unit)
    await_state("active")
    assert "80 timeout" in open_ports()
    call_as_certmgr(gateway, "ReloadOrRestartUnit", unit)
    await_state("active")
    assert "80 timeout" in open_ports()
    killed = gateway.run("busctl", "call", *MANAGER, "KillUnit", "ssi", unit, "all", "9", user="certmgr", check=False)
    assert re.search("authentication required|Access denied", killed.stdout), killed.stdout
    call_as_certmgr(gateway, "StopUnit", unit)
    await_state("inactive")
    assert "80" not in open_ports()

    call_as_certmgr(gateway, "ReloadOrRestartUnit", unit)
    await_state("active")
    before = gateway.property("certmgr", "MainPID")
    gateway.run("systemctl", "kill", "--signal=KILL", "certmgr")
    wait_until("closed port", lambda: "80" not in open_ports())
    restarted(gateway, before)
    call_as_certmgr(gateway, "ReloadOrRestartUnit", "certmgr-port@22.service")
    wait_until("refusal", lambda: "no CA asks on port 22" in gateway.journal("-u", "certmgr-port@22"))
    assert "22" not in open_ports()
    gateway.run("nft", "delete", "table", "inet", "filter")


# ---- life

HOOK = """
dns_trial_add() {
  [ "$TRIAL" = "of the file" ] && [ "$(printf abc | _digest sha256 hex | cut -c 1-8)" = ba7816bf ] || return 1
  HTTPS_INSECURE=1 _get "https://127.0.0.1/" >/dev/null && _info "$1 was added"
}
"""


def test_the_sandbox_of_certmgrd_lets_hook_programs_work(gateway):
    """A file of acme.sh's kind: bash, files of its own, openssl, curl."""
    unit = (ROOTFS / "usr/lib/systemd/system/certmgr.service").read_text()
    unit = re.sub("^(Before|ExecReload|Restart|RestartSec|WatchdogSec)=.*$", "", unit, flags=re.MULTILINE)
    unit = unit.replace("Type=notify", 'Type=oneshot\nEnvironment="TRIAL=of the file"').replace(
        "ExecStart=/usr/sbin/certmgrd", "ExecStart=/usr/libexec/certmgr/acme-sh-hook add /etc/certmgr/dns_trial.sh _acme-challenge.a value")
    (gateway.tree / "etc/systemd/system/certmgr-hook-trial.service").write_text(unit)
    (gateway.tree / "etc/certmgr/dns_trial.sh").write_text(HOOK)
    gateway.run("systemctl", "daemon-reload")
    result = gateway.run("systemctl", "start", "certmgr-hook-trial", check=False)
    said = gateway.journal("--output=cat", "--unit=certmgr-hook-trial")
    assert result.returncode == 0 and "_acme-challenge.a was added" in said, said


def test_reload_takes_settings_or_says_what_is_wrong(gateway):
    process = gateway.property("certmgr", "MainPID")
    gateway.run("systemctl", "reload", "certmgr")
    settings = gateway.tree / "etc/certmgr/certmgr.toml"
    good = settings.read_text()
    settings.write_text(good + "no = 'key of certmgr.toml'\n")
    refused = gateway.run("systemctl", "reload", "certmgr", check=False)
    settings.write_text(good)
    assert refused.returncode != 0
    assert "/etc/certmgr/certmgr.toml:" in gateway.journal("-u", "certmgr", "-n", "20")
    assert gateway.property("certmgr", "MainPID") == process
    gateway.run("systemctl", "reload", "certmgr")


def test_a_restart_changes_nothing_for_anybody(gateway):
    before = await_proofs(gateway)
    gateway.run("systemctl", "restart", "certmgr")
    after = await_proofs(gateway)
    assert {name: after[name]["Sha256"] for name in NAMES} == {name: before[name]["Sha256"] for name in NAMES}


def test_killed_it_is_started_again(gateway):
    before = gateway.property("certmgr", "MainPID")
    gateway.run("systemctl", "kill", "--signal=KILL", "certmgr")
    restarted(gateway, before)
    await_proofs(gateway)


def test_one_that_hangs_is_ended_by_the_watchdog(gateway):
    assert gateway.property("certmgr", "WatchdogUSec") == "1min"
    drop_in = gateway.tree / "etc/systemd/system/certmgr.service.d/watchdog.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nWatchdogSec=2\n")
    gateway.run("systemctl", "daemon-reload")
    gateway.run("systemctl", "restart", "certmgr")
    before = gateway.property("certmgr", "MainPID")
    gateway.run("systemctl", "kill", "--signal=STOP", "certmgr")
    restarted(gateway, before)
    assert "Failed with result 'watchdog'" in gateway.journal("-u", "certmgr")
    drop_in.unlink()
    gateway.run("systemctl", "daemon-reload")
    gateway.run("systemctl", "restart", "certmgr")


def test_it_trusts_its_own_ca_while_it_shall(gateway):
    control = gateway.control()

    def trusted():
        return gateway.run("openssl", "verify", "/var/lib/certmgr/authority/trust.pem", check=False).returncode == 0

    assert not trusted()
    control.run("trust", "add")
    assert trusted()
    control.run("trust", "remove")
    assert not trusted()


def test_stopped_it_ends_well(gateway):
    gateway.run("systemctl", "stop", "certmgr")
    assert gateway.property("certmgr", "Result") == "success"
    assert gateway.property("certmgr", "ExecMainStatus") == "0"
    assert serving(gateway), "services go on without it"
    gateway.run("systemctl", "start", "certmgr")


# ---- what the machine says of itself

# As the README has them.
@pytest.mark.parametrize("unit, most", [("certmgr", 1.4), ("certmgr-keyd", 0.6), ("certmgr-responder", 0.8), ("certmgr-tls-responder", 0.8),
                                        ("certmgr-ikev2@1", 1.1), ("certmgr-trust", 1.3), ("certmgr-port@80", 1.4), ("certmgr-install@key-file", 2.1),
                                        ("certmgr-install@forward-proxy", 2.3)])
def test_exposure(gateway, unit, most):
    answer = gateway.run("systemd-analyze", "security", "--no-pager", f"{unit}.service", check=False).stdout
    level, = re.findall(r"Overall exposure level .*: ([0-9.]+) ", answer)
    print(f"{unit}: {level}")
    assert float(level) <= most, answer


def test_the_journal_has_fields_and_explains_itself(gateway):
    catalog = (ROOTFS / "usr/lib/systemd/catalog/certmgr.catalog").read_text()
    listed = gateway.run("journalctl", "--list-catalog").stdout
    for number in re.findall(r"^-- ([0-9a-f]{32})$", catalog, re.MULTILINE):
        assert number in listed
    proof = "MESSAGE_ID=6f1c3c2f5a4b4b0fa2f7b1d0c93a7e07"
    entries = [json.loads(line) for line in gateway.journal("--output=json", proof).splitlines()]
    assert {(entry["CERTMGR_SERVICE"], entry["CERTMGR_CERTIFICATE"]) for entry in entries} == {
        (module, name) for module, (name, _) in MODULES.items()}
    assert all(entry["_SYSTEMD_UNIT"] == "certmgr.service" for entry in entries)
    assert f"web-interface serves the new certificate of {WEB_INTERFACE}" in gateway.journal("--catalog", proof)


def test_no_sandbox_was_in_the_way(gateway):
    """Of all that was done above."""
    said = gateway.journal("--output=cat", "--unit=certmgr*")
    assert "certmgr-install@key-file.service: Deactivated successfully" in said
    assert not re.findall(".*(?:Permission denied|not permitted|Read-only file system|status=31/SYS).*", said)


def test_after_a_boot_all_is_as_it_was(gateway):
    before = await_proofs(gateway)
    assert gateway.shut_down() == 0
    gateway.boot()
    assert gateway.state == "running", gateway.journal("-p", "warning")[-3000:]
    after = await_proofs(gateway)
    assert {name: after[name]["Sha256"] for name in NAMES} == {name: before[name]["Sha256"] for name in NAMES}
    end = gateway.journal("--boot=-1", "--unit=certmgr").rpartition("Stopping certmgr.service")[2]
    assert "Deactivated successfully" in end, end
