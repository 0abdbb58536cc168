"""dns-persist-01: a record that an administrator has put proves a name at real name servers, which the ACME server asks."""

import datetime
import json

import pytest
from await_state import certificates_where
from box import QUICK, Box
from box.acme import cached
from box.process import wait_until

ZONE = "example.com"
ISSUER = "pebble.letsencrypt.org"  # Pebble's own, in its directory and its challenges
WILDCARD = f"*.{ZONE}"


@pytest.fixture(scope="module")
def box():
    """http-01 proves the services' names, so that there is an account; nothing here changes the zone."""
    if not cached("pebble")[1]:
        pytest.fail("this needs Pebble 2.10 with dns-persist-01, which scripts/setup builds where Go is installed")
    with Box(pebble_environment={**QUICK, "PEBBLE_AUTHZREUSE": "0"}, zone=ZONE) as box:
        settings = box.manager.configuration
        settings.write_text(settings.read_text().replace("[acme]", '[acme]\nchallenges = ["dns-persist-01", "http-01"]', 1))
        box.manager.start()
        certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate")
        yield box


def put(box, *lines):
    """The lines of a zone file, as they were printed, and none of those before."""
    box.knot.change([line.replace(" IN TXT ", " TXT ", 1) for line in lines])
    box.knot.follow()


def printed(box, name, *options):
    """Without the comments."""
    lines = box.control.run("acme", "persist-record", name, *options).stdout.splitlines()
    return [line for line in lines if not line.startswith(";")]


def record(box, name, *options):
    found, = box.control.json("acme", "persist-record", name, *options)
    return found


def refused(box, name):
    """Why it has no certificate of the CA."""
    box.control.run("reissue", name, check=False)
    return certificates_where(box, lambda it: it["LastError"], "reason", names=[name])[name]["LastError"]


def issued(box, name):
    box.control.run("reissue", name)
    return certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=[name])[name]


def wildcard_of(box):
    return next(it["Id"] for it in box.control.certificates().values() if WILDCARD in it["Names"])


def test_the_record_that_is_printed_is_the_one_that_proves_a_wildcard(box):
    before = record(box, ZONE, "--wildcard")
    assert not before["There"]
    assert before["Sentence"] == f"no TXT record that fits is there: none names {ISSUER}"
    assert before["Owner"] == f"_validation-persist.{ZONE}"
    assert before["Record"] == f"{ISSUER}; accounturi={before['Account']}; policy=wildcard"
    box.control.run("request", WILDCARD, check=False)
    name = wildcard_of(box)
    error = certificates_where(box, lambda it: it["LastError"], "reason", names=[name])[name]["LastError"]
    assert f"dns-persist-01 finds no TXT record that fits at _validation-persist.{ZONE} (none names {ISSUER})" in error
    assert f'put the one there that "certmgrctl acme persist-record {ZONE} --wildcard" prints' in error

    put(box, *printed(box, WILDCARD))
    after = record(box, ZONE, "--wildcard")
    assert after["There"] and after["Sentence"] == "one that fits is there, without an end"
    assert "proved by dns-persist-01" in box.control.run("acme", "preflight", WILDCARD).stdout
    orders = box.ca.count("POST /order-plz")
    assert issued(box, name)["Names"] == [WILDCARD]
    assert box.ca.count("POST /order-plz") == orders + 1


def test_a_name_without_a_record_is_proved_by_the_next_kind(box):
    put(box)
    name = f"next.{ZONE}"
    found = box.control.run("acme", "preflight", name, check=False).stdout
    assert "to be proved by http-01: dns-persist-01 finds no TXT record that fits" in found
    box.control.run("request", name, check=False)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=[name])


@pytest.mark.parametrize("text, words", [
    ("{ISSUER}; accounturi={account}/other; policy=wildcard", "is for the account {account}/other, and ours is {account}"),
    ("{ISSUER}; accounturi={account}", "has no policy=wildcard"),
    ("{ISSUER}; accounturi={account}; policy=wildcard; persistUntil=1700000000", "has ended 2023-11-14T22:13:20Z"),
    ("{ISSUER}; accounturi={account}; policy=wildcard;", 'is malformed: nothing stands behind one of its ";"'),
])
def test_what_a_ca_would_not_take_is_told_and_not_tried(box, text, words):
    values = {"ISSUER": ISSUER, "account": record(box, ZONE)["Account"]}
    words = f"the one of {ISSUER} {words.format(**values)}"
    put(box, f'_validation-persist.{ZONE}. IN TXT "{text.format(**values)}"')
    assert words in record(box, ZONE, "--wildcard")["Sentence"]
    failed = box.ca.count("authz invalid")
    assert words in refused(box, wildcard_of(box))
    assert box.ca.count("authz invalid") == failed


def test_one_of_several_records_is_enough_and_an_end_to_come_is_no_obstacle(box):
    put(box, *printed(box, ZONE, "--wildcard", "--until", "2099-12-31"), f'_validation-persist.{ZONE}. IN TXT "{ISSUER}; x"',
        f'_validation-persist.{ZONE}. IN TXT "other.example; accounturi=https://other.example/1"')
    assert record(box, WILDCARD)["Sentence"] == "one that fits is there, until 2099-12-31T23:59:59Z"
    before = box.control.certificates()[wildcard_of(box)]["Serial"]
    assert issued(box, wildcard_of(box))["Serial"] != before


def test_a_record_that_ends_soon_is_an_alarm_until_another_one_proves_the_name(box):
    def alarms():
        return [alarm["Sentence"] for alarm in json.loads(box.control.run("status", "--json", check=False).stdout)["Alarms"]
                if alarm["Kind"] == "persist-record-ending" and alarm["Subject"] == wildcard_of(box)]

    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=10)
    put(box, *printed(box, WILDCARD, "--until", f"{soon:%Y-%m-%d}"))
    issued(box, wildcard_of(box))
    wait_until("an alarm", alarms)
    assert alarms() == [
        f"the record _validation-persist.{ZONE}, by which it was proved, ends {soon:%Y-%m-%d}T23:59:59Z: it cannot be "
        f'renewed by dns-persist-01 then; put the one there that "certmgrctl acme persist-record {ZONE} --wildcard" prints']
    box.manager.restart()
    wait_until("the alarm of before", alarms)
    put(box, *printed(box, WILDCARD))
    issued(box, wildcard_of(box))
    wait_until("no alarm", lambda: not alarms())


def test_what_cannot_be_printed_says_why(box):
    def failure(*arguments):
        result = box.control.run("acme", "persist-record", *arguments, check=False)
        return result.returncode, result.stdout

    assert failure("192.0.2.1")[0] == 6
    assert failure(ZONE, "--until", "2020-01-01") == (
        6, "certmgrctl: a record that ends 2020-01-01T23:59:59Z has ended already: expected a time to come\n")
    assert failure(ZONE, "--ca", "nobody")[0] == 6
    assert box.visitor.run("acme", "persist-record", ZONE, check=False).returncode == 4


def test_without_an_account_there_is_no_record(make_box):
    box = make_box(pebble_environment=QUICK, sites=False)
    box.manager.start()
    result = box.control.run("acme", "persist-record", ZONE, check=False)
    assert result.returncode == 1
    assert result.stdout == ("; pebble: there is no account yet; the first order there makes one, whatever comes of it\n"
                             "certmgrctl: no record can be made for any of them: the reasons stand above\n")
