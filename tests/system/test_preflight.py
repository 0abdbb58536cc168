"""What stands in the way of a name is found out before the CA is asked, at real name servers."""

import contextlib
import json

import pytest
from acme_proxy import AcmeProxy
from await_state import certificates_where
from box import QUICK
from box.acme import make_server_certificate
from box.front import start_tls_responder
from box.nginx import temporary_paths
from box.process import Process, port_open, wait_until

ZONE = "preflight.test"
HERE, AWAY = "127.0.0.1", "127.0.0.9"


@pytest.fixture
def asking(make_box):
    """A box that asks the name servers first and is at 127.0.0.1, at a CA whose CAA identity is ca.test."""
    with contextlib.ExitStack() as stack:
        def make(records, **options):
            box = make_box(pebble_environment=QUICK, zone=ZONE, **{"sites": False, **options})
            box.knot.change(records)

            def identified(resource, ask):
                answer = ask()
                if resource == "directory":
                    directory = answer.json
                    directory["meta"]["caaIdentities"] = ["ca.test"]
                    answer.json = directory
                return answer

            proxy = AcmeProxy(box.folder / "proxy", box.ca, identified)
            stack.callback(proxy.stop)
            box.manager.configure(box.keyd.socket, box.provider, {"pebble": proxy})
            text = box.manager.configuration.read_text()
            box.manager.configuration.write_text(text.replace("[acme]\n", (
                "[acme]\npreflight = true\n"
                f'public_addresses = ["{HERE}"]\nresolver = "127.0.0.1:{box.knot.port}"\n'), 1))
            box.manager.start()
            return box

        yield make


def blocked(box, name, words):
    """The name is not asked for, and the reason is shown."""
    box.control.run("request", name)
    found = certificates_where(box, lambda it: "no order was placed" in it["LastError"], "blocked order", [name])[name]
    assert words in found["LastError"], found["LastError"]
    assert found["State"] == "local", "it is served all the same"
    assert box.ca.count("POST /order-plz") == 0


def mended(box, name, records):
    """A manual retry asks at once."""
    box.knot.change(records)
    box.control.run("reissue", name)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", [name])
    assert box.ca.count("POST /order-plz") == 1


@pytest.mark.parametrize("label, wrong, right, words", [
    ("address", [f"address A {AWAY}"], [f"address A {HERE}"], f"leads to {AWAY}, which is not this box"),
    ("ip6", [f"ip6 A {HERE}", "ip6 AAAA 2001:db8::9"], [f"ip6 A {HERE}"], "its AAAA record to 2001:db8::9"),
    ("caa", ['caa CAA 0 issue "other.test"', f"caa A {HERE}"], ['caa CAA 0 issue "ca.test"', f"caa A {HERE}"],
     f"the CAA records of caa.{ZONE} allow only other.test"),
    ("alias", ["alias CNAME nobody.ns1"], ["alias CNAME here", f"here A {HERE}"], "has no address"),
])
def test_no_order_for_what_would_fail_and_one_when_it_is_mended(asking, label, wrong, right, words):
    box = asking(wrong)
    blocked(box, f"{label}.{ZONE}", words)
    mended(box, f"{label}.{ZONE}", right)


def test_a_resolver_that_is_away_holds_nothing_up(asking):
    box = asking([f"late A {AWAY}"])
    box.knot.stop()
    box.control.run("request", f"late.{ZONE}")
    wait_until("a newOrder", lambda: box.ca.count("POST /order-plz") > 0)


def test_by_hand_all_is_told_and_the_ca_is_not_asked(asking):
    box = asking([f"good A {HERE}", 'good CAA 0 issue "ca.test"', f"bad A {AWAY}", 'bad CAA 0 issue "other.test"'])
    before = box.ca.log.read_text()
    good = f"good.{ZONE}"
    found = {finding["Check"]: finding for finding in box.control.json("acme", "preflight", good)}
    assert {check: finding["Finding"] for check, finding in found.items()} == {
        "acme": "ok", "challenge": "ok", "address": "ok", "port": "ok", "caa": "uncertain"}, found
    assert "http-01" in found["challenge"]["Sentence"]
    assert "allow only ca.test, and the CA does not say" in found["caa"]["Sentence"]
    refused = box.control.run("acme", "preflight", good, f"bad.{ZONE}", "*.wild.test", check=False)
    assert refused.returncode == 1
    for words in (f"blocked    address    bad.{ZONE} leads to {AWAY}, which is not this box",
                  "blocked    challenge  no challenge that is set up can prove *.wild.test: http-01 cannot prove a wildcard",
                  f"certmgrctl: an attempt would fail: *.wild.test, bad.{ZONE}"):
        assert words in refused.stdout, refused.stdout
    assert box.ca.log.read_text() == before
    assert box.control.run("acme", "preflight", "no name!", check=False).returncode == 6
    assert box.visitor.run("acme", "preflight", good, check=False).returncode == 4

    box.control.run("request", good)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", [good])
    found = box.control.json("acme", "preflight", good)
    assert [finding["Finding"] for finding in found if finding["Check"] == "caa"] == ["ok"], "its directory was read"


def port_finding(box, name):
    """Also where the command ends with the status of a blocked name."""
    found = json.loads(box.control.run("acme", "preflight", name, "--json", check=False).stdout.partition("\ncertmgrctl")[0])
    return next((it["Finding"], it["Sentence"]) for it in found if it["Check"] == "port")


def test_who_answers_on_port_80_in_place_of_the_responder_is_named_and_no_order_is_placed(asking):
    box = asking([f"port A {HERE}", f"away A {AWAY}"], pebble_settings={"httpPort": 80})
    name = f"port.{ZONE}"
    configuration = box.manager.configuration
    configuration.write_text(configuration.read_text().replace(f"challenge_port = {box.manager.challenge_port}",
                                                               "challenge_port = 80"))
    box.manager.restart()

    def serve(location):
        """nginx on port 80, with this for the challenges."""
        nginx = box.folder / "web.conf"
        nginx.write_text(f"""daemon off; pid {box.folder}/web.pid; events {{}}
            http {{ access_log off; server {{ listen 127.0.0.1:80; {location} location / {{ return 404; }} }} }}""")
        web = Process("nginx", ["nginx", "-e", box.folder / "log/web.log", "-c", nginx], box.folder / "log/web.log")
        web.wait_until("its port was open", lambda: port_open(80))
        return web

    finding, words = port_finding(box, name)
    assert finding == "blocked" and words.startswith(f"nobody listens on port 80 of {HERE}: "), words
    web = serve("")
    finding, words = port_finding(box, name)
    assert finding == "blocked" and words.startswith(f"on port 80 of {HERE} nginx/"), words
    assert "answers 404 in place of the challenge" in words
    blocked(box, name, "answers 404 in place of the challenge")
    web.stop()
    web = serve("location /.well-known/ { return 302 http://elsewhere.test/; }")
    finding, words = port_finding(box, name)
    assert finding == "uncertain" and "leads to http://elsewhere.test/" in words, words
    web.stop()
    web = serve(f"location /.well-known/acme-challenge/ {{ proxy_pass http://127.0.0.1:{box.responder.port}; }}")
    assert port_finding(box, name)[0] == "ok"
    assert not list(box.responder.directory.iterdir()), "nothing of the trials is left"
    mended(box, name, [])
    web.stop()


def test_who_answers_on_port_443_in_place_of_the_responder_is_named(asking):
    box = asking([f"port A {HERE}"], pebble_settings={"tlsPort": 443})
    name = f"port.{ZONE}"
    challenges, responder = start_tls_responder(box, 8403)
    box.manager.set_acme(tls_challenge_port=443, challenges=["tls-alpn-01"])
    box.manager.restart()

    finding, words = port_finding(box, name)
    assert finding == "blocked" and words.startswith(f"nobody listens on port 443 of {HERE}: "), words
    web = box.folder / "web"
    web.mkdir()
    certificate, key = make_server_certificate(web)

    def serve(stream, site):
        (web / "nginx.conf").write_text(f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            daemon off; pid {web}/nginx.pid; events {{}}
            http {{ access_log off; {temporary_paths(web)} ssl_certificate {certificate}; ssl_certificate_key {key};
                server {{ listen 127.0.0.1:{site} ssl; }} }}
            stream {{ {stream} }}""")
        process = Process("nginx", ["nginx", "-e", web / "log", "-c", web / "nginx.conf"], web / "log")
        process.wait_until("its port was open", lambda: port_open(443))
        return process

    server = serve("", 443)
    finding, words = port_finding(box, name)
    assert finding == "blocked" and f"on port 443 of {HERE} a server without acme-tls/1 (" in words, words
    blocked(box, name, "answers in place of the challenge")
    server.stop()
    # Without a word on protocols a TLS server answers with what it has.
    server = serve(f"server {{ listen 127.0.0.1:443 ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; return ''; }}",
                   8444)
    finding, words = port_finding(box, name)
    assert finding == "blocked" and 'the certificate of "CN=ACME server of the box" answers in place' in words, words
    server.stop()
    server = serve("""map $ssl_preread_alpn_protocols $to { ~\\bacme-tls/1\\b 127.0.0.1:8403; default 127.0.0.1:8444; }
                      server { listen 127.0.0.1:443; ssl_preread on; proxy_pass $to; }""", 8444)
    assert port_finding(box, name)[0] == "ok"
    assert not list(challenges.iterdir()), "nothing of the trials is left"
    mended(box, name, [])
    server.stop()
    responder.stop()
