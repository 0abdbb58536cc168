"""A box whose packet filter, nftables with all its rules, drops what comes from outside: a CA gets in while it looks."""

import contextlib
import os

import pytest
from await_state import certificates_where
from box import Box, namespace
from box.process import Process, run, wait_until

RULES = """table inet filter {{
    include "{shipped}"
    chain input {{
        type filter hook input priority filter; policy drop;
        ip saddr != 127.0.0.3 accept
        tcp dport @certmgr_open_ports accept
    }}
}}
"""
SLOW = {"PEBBLE_VA_SLEEPTIME": "3", "PEBBLE_WFE_NONCEREJECT": "0"}


@pytest.fixture(scope="module")
def filtered():
    """127.0.0.3 is who comes from outside."""
    with Box(ca="pebble", pebble_environment=SLOW, sites=False) as box:
        rules = box.folder / "rules"
        rules.write_text(RULES.format(shipped=namespace.ROOTFS / "usr/share/certmgr/nftables.conf"))
        run(["nft", "-f", rules])
        box.manager.set("ports", opener="nftables", limit_seconds=600)
        yield box
        run(["nft", "delete", "table", "inet", "filter"])


def open_ports():
    return "elements" in run(["nft", "list", "set", "inet", "filter", "certmgr_open_ports"]).stdout


def reaches(port):
    return run(["curl", "-s", "-m", "1", "--interface", "127.0.0.3", f"http://127.0.0.1:{port}/"], check=False).returncode == 0


def test_the_port_is_open_while_the_ca_looks_and_closed_again(filtered):
    box, port = filtered, filtered.manager.challenge_port
    box.manager.start()
    assert not reaches(port)
    box.control.run("request", "vpn.example.com")
    wait_until("an open port", open_ports)
    assert reaches(port)
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=["vpn.example.com"])
    wait_until("a closed port", lambda: not open_ports())
    assert not reaches(port)


def test_what_a_crash_left_open_is_closed_at_the_next_start(filtered):
    box, port = filtered, filtered.manager.challenge_port
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
