"""dns-01 by programs of the administrator's, in the calling forms of lego, dehydrated and acme.sh, with real name servers."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import threading

import pytest
from acme_proxy import AcmeProxy
from await_state import attempts_are_due, certificates_where
from box import QUICK
from box.namespace import ROOTFS
from box.process import wait_until

ZONE = "example.com"
WILDCARD, ID = f"*.{ZONE}", f"_.{ZONE}"
OWNER = f"_acme-challenge.{ZONE}"
SECRET_NAME = "DNS_SECRET"
NO_REUSE = {**QUICK, "PEBBLE_AUTHZREUSE": "0"}  # each order is proved anew

# What each of them does in the end. knsupdate would take the key as an argument too, for all to see.
UPDATE = """
update() {
    knsupdate <<END
server 127.0.0.1 @PORT@
zone @ZONE@.
key hmac-sha256:certmgr $DNS_SECRET
$1 $2 60 TXT "$3"
send
END
}
"""
FORGET = UPDATE.replace("update", "forget", 1).replace('$1 $2 60 TXT "$3"', "del $1 TXT")
# It tells the test how it was called, and with what.
BEGIN = """#!/bin/sh
echo "$*" >>@CALLS@
env >@ENVIRONMENT@
""" + UPDATE
LEGO_EXEC = BEGIN + """
case $1 in
    present) update add "$2" "$3" ;;
    cleanup) update del "$2" "$3" ;;
esac
"""
DEHYDRATED = BEGIN + """
deploy_challenge() { update add "_acme-challenge.$1." "$3"; }
clean_challenge() { update del "_acme-challenge.$1." "$3"; }
HANDLER=$1
shift
case $HANDLER in deploy_challenge | clean_challenge) "$HANDLER" "$@" ;; esac
"""
ACME_SH = """#!/usr/bin/env sh
echo "file" >>@CALLS@
env >@ENVIRONMENT@
""" + UPDATE + """
dns_knot_add() {
  DNS_SECRET="${DNS_SECRET:-$(_readaccountconf_mutable DNS_SECRET)}"
  if [ -z "$DNS_SECRET" ]; then
    _err "You did not set DNS_SECRET"
    return 1
  fi
  _saveaccountconf_mutable DNS_SECRET "$DNS_SECRET"
  echo "dns_knot_add $*" >>@CALLS@
  _info "adding $1"
  update add "$1." "$2"
}
dns_knot_rm() {
  DNS_SECRET="${DNS_SECRET:-$(_readaccountconf_mutable DNS_SECRET)}"
  echo "dns_knot_rm $*" >>@CALLS@
  update del "$1." "$2"
}
"""
VALUE = "([A-Za-z0-9_-]{43})"
TOKEN = "[A-Za-z0-9_-]{22,}"
FORMS = {
    "lego-exec": ("hook.sh", LEGO_EXEC, SECRET_NAME, rf"present {OWNER}\. {VALUE}\ncleanup {OWNER}\. \1\n"),
    "dehydrated": ("hook.sh", DEHYDRATED, SECRET_NAME,
                   rf"deploy_challenge {ZONE} ({TOKEN}) {VALUE}\nclean_challenge {ZONE} \1 \2\n"),
    "acme.sh": ("dns_knot.sh", ACME_SH, "SAVED_" + SECRET_NAME,  # as in acme.sh's account.conf
                rf"file\ndns_knot_add {OWNER} {VALUE}\nfile\ndns_knot_rm {OWNER} \1\n"),
}


class Hook:
    """A program that certmgrd runs, and what it was told."""

    def __init__(self, box, form, script=None, servers=("127.0.0.1",), **values):
        self.box, self.form = box, form
        name, shipped, variable, self.expected = FORMS[form]
        self.secret = box.knot.secret_file.read_text().strip()
        self.folder = box.folder / "hook"
        self.folder.mkdir()
        shutil.chown(self.folder, "certmgr", "certmgr")
        self.calls, self.environment = self.folder / "calls", self.folder / "environment"
        self.program = box.folder / name
        self.write(script or shipped)
        self.secrets = box.folder / "hook.env"
        self.secrets.write_text(f"# of the name server\n{variable}='{self.secret}'\n")
        self.secrets.chmod(0o640)
        shutil.chown(self.secrets, "root", "certmgr")
        if form == "acme.sh":
            values["adapter"] = str(box.manager.programs / "acme-sh-hook")
        self.settings = {"hook": form, "program": str(self.program), "environment_file": str(self.secrets),
                         "servers": [f"{address}:{box.knot.port}" for address in servers], **values}
        self.prove()

    def prove(self):
        self.box.manager.prove_by_hook(self.box.knot, **self.settings)

    def write(self, script):
        for name, value in {"CALLS": self.calls, "ENVIRONMENT": self.environment, "PORT": self.box.knot.port,
                            "ZONE": self.box.knot.zone}.items():
            script = script.replace(f"@{name}@", str(value))
        self.program.write_text(script)
        self.program.chmod(0o755)

    def called(self):
        return self.calls.read_text() if self.calls.exists() else ""

    def start(self):
        self.box.manager.start()
        self.box.control.run("request", WILDCARD)

    def failure(self):
        """What people are told, once an attempt has failed."""
        found = certificates_where(self.box, lambda it: it["LastError"], "error", names=[ID])
        return found[ID]["LastError"]

    def issued(self):
        certificates_where(self.box, lambda it: it["State"] == "acme", "ACME certificate", names=[ID])
        assert self.box.ca.count("POST /order-plz") == 1, "no order was made twice"
        wait_until("end of the record", lambda: not self.box.knot.proofs())
        assert not list((self.box.manager.state / "dns-records").iterdir())

    def assert_secret_is_kept(self):
        secret = self.secret.encode()
        foreign = {self.box.knot.folder, self.folder, self.box.folder / "bin"}
        for file in self.box.folder.rglob("*"):
            if file.is_file() and file != self.secrets and not foreign & set(file.parents):
                assert secret not in file.read_bytes(), f"{file} holds the secret"
        assert self.secret not in self.box.control.run("show", ID).stdout


@pytest.fixture
def make_hook(make_box):
    return lambda form, *arguments, **values: Hook(make_box(pebble_environment=NO_REUSE, zone=ZONE, sites=False), form,
                                                   *arguments, **values)


@pytest.mark.parametrize("form", FORMS)
def test_a_wildcard_is_issued_and_its_record_removed(make_hook, form):
    hook = make_hook(form)
    hook.start()
    hook.issued()
    assert re.fullmatch(hook.expected, hook.called()), hook.called()
    given = dict(line.split("=", 1) for line in hook.environment.read_text().splitlines())
    of_shells = {"PWD", "OLDPWD", "SHLVL", "_"}
    of_adapter = {"HTTP_HEADER", "LE_CONFIG_HOME", "ACME_OPENSSL_BIN"} if form == "acme.sh" else set()
    assert set(given) - of_shells - of_adapter == {"PATH", "LC_ALL", FORMS[form][2]}
    assert hook.secret.encode() not in pathlib.Path(f"/proc/{hook.box.manager.process.pid}/environ").read_bytes()
    hook.assert_secret_is_kept()


@pytest.mark.parametrize("form", FORMS)
def test_the_record_of_a_killed_run_is_removed(make_hook, form):
    """It is killed while it waits for the secondary."""
    hook = make_hook(form, servers=("127.0.0.1", "127.0.0.2"), wait_seconds=30)
    hook.start()
    wait_until("a record", hook.box.knot.proofs)
    hook.box.manager.process.kill(signal.SIGKILL)
    hook.box.manager.process.stop()
    left = hook.box.knot.proofs()
    assert len(left) == 1
    hook.box.manager.start()
    hook.box.knot.follow()
    hook.issued()


@pytest.mark.parametrize("form", FORMS)
def test_a_program_that_fails_is_shown(make_hook, form):
    fail = "echo \"the zone is locked: $DNS_SECRET$SAVED_DNS_SECRET\"; echo 'on standard error' >&2; exit 3"
    hook = make_hook(form, f"dns_knot_add() {{ {fail}; }}\n" if form == "acme.sh" else f"#!/bin/sh\n{fail}\n")
    hook.start()
    failure = hook.failure()
    assert failure == (f"pebble: presenting dns-01 for {WILDCARD}: {hook.program} ended with status 3: the zone is locked: "
                       f"${FORMS[form][2]}\non standard error")
    assert "the zone is locked" in hook.box.control.run("show", ID).stdout
    hook.assert_secret_is_kept()
    hook.write(FORMS[form][1])
    hook.box.control.run("reissue", ID)
    hook.issued()


def test_a_program_that_hangs_is_ended(make_hook):
    hook = make_hook("lego-exec", "#!/bin/sh\n[ $1 = present ] || exit 0\necho $$ >@CALLS@\necho waiting\nsleep 1000\n",
                     timeout_seconds=1)
    hook.start()
    assert hook.failure().endswith(f"{hook.program} did not end within 1 s, which is timeout_seconds in [[dns]], "
                                   "and was killed: waiting")
    assert not pathlib.Path(f"/proc/{int(hook.called())}").exists()


def test_a_program_that_is_none_is_said(make_hook):
    hook = make_hook("lego-exec")
    hook.program.chmod(0o644)
    hook.start()
    assert hook.failure().endswith(f"{hook.program} could not be started: Permission denied")


def test_a_stop_does_not_wait_for_a_program(make_hook):
    hook = make_hook("lego-exec", "#!/bin/sh\necho $$ >@CALLS@\nexec sleep 1000\n", timeout_seconds=1000)
    hook.start()
    wait_until("program", hook.called)
    assert hook.box.manager.stop() == 0, "it ends by itself, before it would have to be killed"
    assert not pathlib.Path(f"/proc/{int(hook.called())}").exists()
    hook.write(LEGO_EXEC)
    hook.box.manager.start()
    hook.issued()


def test_what_cannot_be_removed_is_said_once_and_removed_later(make_hook):
    failing = LEGO_EXEC.replace('cleanup) update del "$2" "$3"', "cleanup) echo 'the zone is locked'; exit 1")
    hook = make_hook("lego-exec", failing)
    hook.start()
    certificates_where(hook.box, lambda it: it["State"] == "acme", "ACME certificate", names=[ID])
    log = hook.box.manager.log
    sentence = f"removing the record {OWNER}: {hook.program} ended with status 1: the zone is locked"
    hook.box.manager.restart()
    wait_until("word of it", lambda: sentence in log.read_text())
    assert len(hook.box.knot.proofs()) == 1
    hook.write(LEGO_EXEC)
    hook.box.manager.restart()
    hook.issued()


def test_a_program_that_removes_all_records_of_a_name_harms_no_other_certificate(make_hook):
    """As acme.sh's dns_nsupdate.sh does. The CA looks for the record of the wildcard when that of the domain is over."""
    hook = make_hook("lego-exec", LEGO_EXEC.replace("case", FORGET + "case").replace("cleanup) update del", "cleanup) forget"))
    box = hook.box
    proxy = AcmeProxy(box.folder / "proxy", box.ca)
    box.add(proxy)
    box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
    box.manager.set_acme(challenges=["dns-01"])
    hook.prove()
    answered, first_is_over = [], threading.Event()

    def hold(resource, ask):
        if resource == "challenge":
            answered.append(resource)
            first = len(answered) == 1
            wait_until("both records", lambda: len(box.knot.proofs()) == 2)
            if not first:
                first_is_over.wait(60)
        return ask()

    proxy.change = hold
    box.manager.start()
    for name in (WILDCARD, ZONE):
        box.control.run("request", "--no-wait", name)
    wait_until("first certificate", lambda: "acme" in [it["State"] for it in box.control.certificates().values()])
    first_is_over.set()
    found = certificates_where(box, lambda it: it["State"] == "acme", "certificates", names=[ID, ZONE])
    assert [it["Failures"] for it in found.values()] == [0, 0]
    wait_until("end of the records", lambda: not box.knot.proofs())
    wait_until("end of what is on disk", lambda: not list((box.manager.state / "dns-records").iterdir()))


def test_an_alias_in_a_zone_of_others_leads_to_one_of_ours(make_hook):
    """It is looked for at the resolver."""
    ours, name = f"ours.{ZONE}", f"away.{ZONE}"
    hook = make_hook("lego-exec", zones=[ours])
    box = hook.box
    box.manager.set_acme(challenges=["dns-01"], resolver=f"127.0.0.1:{box.knot.port}")
    box.knot.change([f"_acme-challenge.away CNAME away.{ours}."])
    box.manager.start()
    box.control.run("request", name)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=[name])
    assert re.fullmatch(rf"present (away\.{ours}\. {VALUE})\ncleanup \1\n", hook.called()), hook.called()
    assert not box.knot.proofs()


def test_a_kind_that_fails_makes_way_for_the_next_and_a_reissue_begins_with_the_first(make_hook):
    """The name leads elsewhere at first, so that the CA finds nothing at its port 80."""
    hook = make_hook("lego-exec", LEGO_EXEC.replace(
        "present)", "present) until [ -e @CALLS@.go ]; do sleep 0.05; done;"))
    box, name = hook.box, f"vpn.{ZONE}"
    box.manager.set_acme(challenges=["http-01", "dns-01"])
    box.knot.change(["vpn A 127.0.0.9"])
    box.manager.start()
    box.control.run("request", name)
    failed = certificates_where(box, lambda it: it["LastError"], "failure", names=[name])[name]
    assert "/.well-known/acme-challenge/TOKEN" in failed["LastError"] and failed["State"] == "local"
    assert hook.called() == ""

    attempts_are_due(box)
    wait_until("a call", hook.called)
    certificates_where(box, lambda it: it["Activity"] == f"proving {name} by dns-01: the attempt by http-01 failed",
                       "reason of the kind", names=[name])
    (hook.folder / "calls.go").touch()
    by_dns = certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=[name])[name]
    assert re.fullmatch(rf"present (_acme-challenge\.{name}\. {VALUE})\ncleanup \1\n", hook.called()), hook.called()

    def proved_by():
        with contextlib.closing(sqlite3.connect(box.manager.state / "certmgr.db")) as database:
            return database.execute("SELECT proved_by FROM certificates WHERE id = ?", [name]).fetchone()[0]

    assert proved_by() == "dns-01", "a renewal begins with it"
    box.knot.change([])
    box.control.run("reissue", name)
    assert proved_by() == ""
    assert box.control.certificates()[name]["Serial"] != by_dns["Serial"]
    assert hook.called().count("present") == 1, "http-01 again"
    assert box.ca.count("POST /order-plz") == 3


FUNCTIONS = r"""
dns_trial_add() {
  printf 'what do ya want for nothing?' | _hmac sha256 "$(printf Jefe | _hex_dump | tr -d ' ')" hex && echo
  printf '%s' "$2" | _hmac sha512 "$(printf '%0300d' 7 | _hex_dump | tr -d ' ')" | _base64 && echo
  printf abc | _digest sha1 hex && echo
  printf 'a b&c/~_.-' | _url_encode && echo
  printf 'a/b' | _url_encode upper-hex && echo
  printf '{\r\n  "a" : "b",\n  "list" : [ 1 ]\n}\n' | _normalizeJson && echo
  _math 1 + 2
  _contains "$1" 'challenge.t' && ! _contains "$1" other && _startswith "$1" _acme && _endswith "$1" com && echo contains
  echo "id=12;id=34" | _egrep_o '[0-9]+' | _head_n 1
  printf '61 62' | _h2b && echo
  _getfield 'a=b' 2 =
  echo aGVsbG8= | _dbase64 && echo
  _saveaccountconf_mutable TRIAL_Name saved
  echo "$(_readaccountconf_mutable TRIAL_Name) $(_readaccountconf_mutable TRIAL_Key) [$(_readdomainconf NONE)]"
  export _H1="Authorization: Bearer $TRIAL_Key"
  _post "{\"value\": \"$2\",
 \"text\": \"a\\b\"}" "$TRIAL_Url/records?key=$TRIAL_Key" "" PUT application/json && echo
  _get "$TRIAL_Url/zones" && echo
  grep -i '^x-cookie:' "$HTTP_HEADER" | tr -d '\r'
  _debug key "$TRIAL_Key"
  _secure_debug2 key "$TRIAL_Key"
  certmgr_tests_have_no_such_function
  _err "not added"
}
"""


class Provider(http.server.BaseHTTPRequestHandler):
    """Says what it was asked, and looks whether any process shows the secret in its arguments."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        shown = [file.parent.name for file in pathlib.Path("/proc").glob("[0-9]*/cmdline") if b"s3cr\"et" in content(file)]
        answer = json.dumps([self.command, self.path, self.headers["Authorization"], self.headers["Content-Type"], body, shown])
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Cookie", "seen")
        self.end_headers()
        self.wfile.write(answer.encode())

    do_PUT = do_GET

    def log_message(self, *_):
        pass


def content(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def provider():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def run_adapter(*arguments, **environment):
    return subprocess.run([ROOTFS / "usr/libexec/certmgr/acme-sh-hook", *arguments], stdin=subprocess.DEVNULL, timeout=60,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C", **environment}, capture_output=True, text=True)


def test_files_of_acme_sh_find_the_functions_that_they_call(tmp_path, provider):
    """Its wiki says which there are ("DNS API Dev Guide"). The vectors are of RFC 4231, FIPS 180 and hashlib."""
    file, value = tmp_path / "dns_trial.sh", "-$(reboot); 'x'"
    file.write_text(FUNCTIONS)
    result = run_adapter("add", file, "_acme-challenge.trial.com", value, SAVED_TRIAL_Key='s3cr"et\\', TRIAL_Key='s3cr"et\\',
                         TRIAL_Url=provider, TMPDIR=str(tmp_path))
    assert result.stdout.splitlines() == [
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        base64.b64encode(hmac.digest(b"%0300d" % 7, value.encode(), hashlib.sha512)).decode(),
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "a%20b%26c%2f~_.-", "a%2Fb", '{"a":"b","list":[ 1 ]}', "3", "contains", "12", "ab", "b", "hello",
        'saved s3cr"et\\ []',
        json.dumps(["PUT", '/records?key=s3cr"et\\', 'Bearer s3cr"et\\', "application/json",
                    f'{{"value": "{value}",\n "text": "a\\b"}}', []]),
        json.dumps(["GET", "/zones", 'Bearer s3cr"et\\', None, "", []]),
        "X-Cookie: seen"], result.stderr
    assert result.stderr.splitlines() == [
        "certmgr_tests_have_no_such_function: neither a program of this box nor a function of acme.sh that certmgr has",
        "not added"]
    assert result.returncode == 1
    assert list(tmp_path.iterdir()) == [file], "what it wrote is gone"
    assert run_adapter("rm", file, "a", "b").stderr == f"{file} has no function dns_trial_rm\n"
