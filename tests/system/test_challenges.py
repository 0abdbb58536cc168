"""How control of an address is proved, and of a name where another server than certmgr's answers the CA."""

import ipaddress
import socket

import pytest
from await_state import certificates_where
from box import QUICK
from box.front import start_tls_responder
from box.nginx import temporary_paths
from box.process import Process, free_ports, port_open
from cryptography import x509


def answer_at_ip6(box, program, directory, port):
    """What listens on that port of 127.0.0.1 does so at ::1 too."""
    def listens():
        with socket.socket(socket.AF_INET6) as probe:
            return probe.connect_ex(("::1", port)) == 0

    process = Process(program.name, [program, "--directory", directory, "--listen", f"[::1]:{port}"],
                      box.folder / "log/ip6.log", user="certmgr-responder")
    box.add(process)
    process.wait_until("its port was open", listens)


def names_of(box, certificate):
    leaf = x509.load_pem_x509_certificate(box.control.json("show", certificate)["Pem"].encode())
    return list(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


@pytest.mark.parametrize("kind", ["http-01", "tls-alpn-01"])
def test_addresses_are_proved_as_names_are(make_box, kind):
    """RFC 8738"""
    port, = free_ports(1)
    box = make_box(pebble_environment=QUICK, sites=False, pebble_settings={"tlsPort": port})
    challenges, _ = start_tls_responder(box, port)
    answer_at_ip6(box, box.responder.program, box.responder.directory, box.responder.port)
    answer_at_ip6(box, box.programs["tls_responder"], challenges, port)
    box.manager.set_acme(challenges=[kind], tls_challenge_port=port)
    box.manager.start()
    for address in ("127.0.0.1", "::1"):
        box.control.run("request", address)
        (certificate,) = (it["Id"] for it in box.control.certificates().values() if it["Names"] == [address])
        certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=[certificate])
        assert names_of(box, certificate) == [x509.IPAddress(ipaddress.ip_address(address))]


def test_a_web_server_that_has_the_folder_needs_no_responder(make_box):
    box = make_box(pebble_environment=QUICK, sites=False)
    box.responder.stop()
    folder = box.folder / "web"
    folder.mkdir()
    (folder / "nginx.conf").write_text(f"""daemon off; user www-data; pid {folder}/nginx.pid; events {{}}
        http {{ access_log {folder}/access.log; {temporary_paths(folder)}
            server {{ listen 127.0.0.1:{box.responder.port};
                location /.well-known/acme-challenge/ {{ alias {box.responder.directory}/; }} }} }}""")
    log = box.folder / "log/web.log"
    nginx = Process("nginx", ["nginx", "-e", log, "-c", folder / "nginx.conf"], log)
    box.add(nginx)
    nginx.wait_until("its port was open", lambda: port_open(box.responder.port))
    box.manager.start()
    box.control.run("request", "vpn.example.com")
    certificates_where(box, lambda it: it["State"] == "acme", "ACME certificate", names=["vpn.example.com"])
    assert "LetsEncrypt-Pebble-VA" in (folder / "access.log").read_text(), "the CA came to it"
    assert not list(box.responder.directory.iterdir())
