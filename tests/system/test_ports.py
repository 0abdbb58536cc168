"""A box whose packet filter, nftables with all its rules, drops what comes from outside: a CA gets in while it looks,
to the port of http-01 and to that of tls-alpn-01.

Outside is another network namespace, over a pair of veth; the CA itself comes by loopback, which is open.
"""

import pytest
from await_state import certificates_where
from box import Box, namespace
from box.front import start_tls_responder
from box.process import Process, free_ports, run, wait_until

RULES = """table inet filter {{
    include "{shipped}"
    chain input {{
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        tcp dport @certmgr_open_ports accept
    }}
}}
"""
HERE = "198.51.100.1"
SLOW = {"PEBBLE_VA_SLEEPTIME": "3", "PEBBLE_WFE_NONCEREJECT": "0"}


@pytest.fixture(scope="module")
def outside():
    """The name of the namespace."""
    run(["ip", "netns", "add", "outside"])
    run(["ip", "link", "add", "wan", "type", "veth", "peer", "name", "lan", "netns", "outside"])
    run(["ip", "address", "add", f"{HERE}/24", "dev", "wan"])
    run(["ip", "-n", "outside", "address", "add", "198.51.100.2/24", "dev", "lan"])
    for namespace_of_it, link in (((), "wan"), (("-n", "outside"), "lan")):
        run(["ip", *namespace_of_it, "link", "set", link, "up"])
    yield "outside"
    run(["ip", "netns", "delete", "outside"])


@pytest.fixture(scope="module", params=["http-01", "tls-alpn-01"])
def filtered(outside, request):
    """`challenge_port`: on which the CA looks."""
    tls_port, = free_ports(1)
    with Box(ca="pebble", pebble_environment=SLOW, sites=False, pebble_settings={"tlsPort": tls_port}) as box:
        tls_challenges, _ = start_tls_responder(box, tls_port)
        program, challenges, box.challenge_port = {
            "http-01": (box.responder.program, box.responder.directory, box.manager.challenge_port),
            "tls-alpn-01": (box.programs["tls_responder"], tls_challenges, tls_port)}[request.param]
        at_wan = [program, "--directory", challenges, "--listen", f"{HERE}:{box.challenge_port}"]
        box.add(Process("responder at wan", at_wan, box.folder / "log/wan.log", user="certmgr-responder"))
        box.manager.set_acme(challenges=[request.param], tls_challenge_port=tls_port)
        rules = box.folder / "rules"
        rules.write_text(RULES.format(shipped=namespace.ROOTFS / "usr/share/certmgr/nftables.conf"))
        run(["nft", "-f", rules])
        box.manager.set("ports", opener="nftables", limit_seconds=600)
        yield box
        run(["nft", "delete", "table", "inet", "filter"])


def open_ports():
    return "elements" in run(["nft", "list", "set", "inet", "filter", "certmgr_open_ports"]).stdout


def reaches(port):
    """Whether who is outside is let in."""
    return run(["ip", "netns", "exec", "outside", "timeout", "1", "bash", "-c", f"</dev/tcp/{HERE}/{port}"],
               check=False).returncode == 0


def test_the_port_is_open_while_the_ca_looks_and_closed_again(filtered):
    box, port = filtered, filtered.challenge_port
    box.manager.start()
    assert not reaches(port)
    box.control.run("request", "vpn.example.com")
    wait_until("an open port", open_ports)
    assert reaches(port)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=["vpn.example.com"])
    wait_until("a closed port", lambda: not open_ports())
    assert not reaches(port)


def test_what_a_crash_left_open_is_closed_at_the_next_start(filtered):
    box, port = filtered, filtered.challenge_port
    box.ca.stop_answering()
    run(["nft", "add", "element", "inet", "filter", "certmgr_open_ports", f"{{ {port} timeout 600s }}"])
    assert reaches(port)
    box.manager.process.kill()
    box.manager.process.child.wait()
    assert reaches(port)
    box.manager.start()
    wait_until("a closed port", lambda: not open_ports())
    assert not reaches(port)
    box.ca.start()


def test_where_the_daemon_never_comes_back_the_kernel_closes_the_port(filtered):
    """Nobody is there to do it but the limit, which the element of the set has."""
    box, port = filtered, filtered.challenge_port
    text = box.manager.configuration.read_text()
    box.manager.configuration.write_text(text.replace("limit_seconds = 600", "limit_seconds = 4"))
    box.manager.restart()
    box.control.run("request", "late.example.com")
    wait_until("an open port", open_ports)
    box.manager.process.kill()
    box.manager.process.child.wait()
    wait_until("a closed port", lambda: not open_ports())
    assert not reaches(port)
