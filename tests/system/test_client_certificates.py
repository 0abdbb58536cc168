"""Certificates for clients of the box: issued, checked by nginx, revoked."""

import socket
import ssl

from await_state import proved
from box import WEB_INTERFACE
from box.process import Process, free_ports, port_open

SITE = """daemon off;
user www-data;
pid {folder}/clients.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/clients-body;
    proxy_temp_path {folder}/clients-proxy;
    fastcgi_temp_path {folder}/clients-fastcgi;
    uwsgi_temp_path {folder}/clients-uwsgi;
    scgi_temp_path {folder}/clients-scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {live}/fullchain.pem;
        ssl_certificate_key {live}/key.pem;
        ssl_client_certificate {authority}/client-ca.pem;
        ssl_verify_depth 3;
        ssl_crl {authority}/crl.pem;
        ssl_verify_client on;
        location / {{ return 200 "$ssl_client_s_dn\\n"; }}
    }}
}}
"""


PROFILE = """description = "VPN portal"
names = ["{name}"]
users = ["www-data"]
client_crl = true
reload_command = ["{reload}"]

[probe]
kind = "https"
address = "127.0.0.1"
port = {port}
"""
NAME = "clients.example.com"


class ClientCheckingNginx:
    """A second nginx of the box, known to it by a profile alone."""

    def __init__(self, box):
        self.box = box
        self.port, = free_ports(1)
        reload = box.folder / "reload-clients"
        reload.write_text(f'#!/bin/sh\nexec kill -HUP "$(cat {box.folder}/clients.pid)"\n')
        reload.chmod(0o755)
        (box.manager.services / "clients.toml").write_text(
            PROFILE.format(name=NAME, reload=reload, port=self.port))

    def start(self):
        configuration = self.box.folder / "clients.conf"
        configuration.write_text(SITE.format(folder=self.box.folder, port=self.port,
                                             live=self.box.manager.live("clients", NAME),
                                             authority=self.box.manager.state / "authority"))
        self.process = Process("nginx for clients", ["nginx", "-c", configuration],
                               self.box.folder / "log/clients.log",
                               environment={"OPENSSL_CONF": str(self.box.nginx.openssl_conf)})
        self.process.wait_until("its port was open", lambda: port_open(self.port))

    def ask(self, pem):
        """What nginx answers a client with this key and certificate."""
        context = ssl.create_default_context(cadata=self.box.control.run("authority", "trust").stdout)
        context.load_cert_chain(pem)
        with socket.create_connection(("127.0.0.1", self.port), 10) as raw, \
                context.wrap_socket(raw, server_hostname=NAME) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while more := connection.recv(4096):
                answer += more
        return answer.decode()


def test_nginx_refuses_a_client_as_soon_as_it_is_revoked(make_box):
    box = make_box(ca=None)
    site = ClientCheckingNginx(box)
    box.start()
    site.start()
    try:
        proved(box, "local", names=[NAME])
        bundles = {name: box.folder / f"{name}.pem" for name in ("Anna", "Boris")}
        for name, bundle in bundles.items():
            box.control.run("authority", "issue", name, "--email", f"{name}@example.org", "--format", "pem", "-o",
                            bundle)
            assert bundle.stat().st_mode & 0o777 == 0o600
            assert f"CN={name}" in site.ask(bundle)
        serial, = [one["Serial"] for one in box.control.json("authority", "list") if "CN=Anna" in one["Subject"]]
        box.control.run("authority", "revoke", serial, "--reason", "key-compromise")
        site.process.wait_until("the revoked client was refused",
                                lambda: "The SSL certificate error" in site.ask(bundles["Anna"]))
        assert "CN=Boris" in site.ask(bundles["Boris"])
    finally:
        site.process.stop()


def test_a_new_root_is_served_by_everything_and_the_old_one_still_verifies(make_box):
    box = make_box(ca=None)
    box.start()
    proved(box, "local")
    old = box.control.run("authority", "download").stdout
    box.control.run("authority", "reissue")
    proved(box, "local")
    new = box.control.run("authority", "download").stdout
    assert old != new
    for root in (old, new):
        seen = box.look_trusting(WEB_INTERFACE, root, "one-root.pem")
        assert seen.verified, seen.output
    assert box.control.run("authority", "trust").stdout.count("BEGIN CERTIFICATE") == 2


def test_without_the_right_nobody_is_issued_anything(make_box):
    box = make_box(ca=None)
    box.start()
    for refused in (["authority", "issue", "x", "--format", "pem", "-o", "/tmp/never.pem"],
                    ["authority", "revoke", "00"], ["authority", "reissue"], ["authority", "generate", "--dn", "CN=x"]):
        answer = box.visitor.run(*refused, check=False)
        assert answer.returncode == 4, answer.stdout
    assert "BEGIN CERTIFICATE" in box.visitor.run("authority", "trust").stdout
    assert "BEGIN X509 CRL" in box.visitor.run("authority", "crl").stdout
