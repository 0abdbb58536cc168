"""squid as a proxy that looks into TLS, a site behind it, and a client that says which CA signed what it is shown."""

import http.server
import pathlib
import shutil
import socket
import ssl
import threading

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from .daemon import Daemon
from .process import BoxError, run

SITE, SITE_PORT = "www.example.com", 8447
CONFIGURATION = """include {folder}/certmgr.conf
sslcrtd_children 4 startup=1 idle=1
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump all
http_access allow all
tls_outgoing_options cafile={folder}/site.pem
hosts_file {folder}/hosts
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
access_log none
cache deny all
coredump_dir {folder}
visible_hostname gateway
pinger_enable off
shutdown_lifetime 0 seconds
"""


class Site(http.server.ThreadingHTTPServer):
    """A web site somewhere else, which the proxy trusts."""

    daemon_threads = True

    def __init__(self, folder):
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={SITE}", "-addext", f"subjectAltName=DNS:{SITE}", "-keyout", folder / "site.key",
             "-out", folder / "site.pem"])
        super().__init__(("127.0.0.1", SITE_PORT), http.server.BaseHTTPRequestHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "site.pem", folder / "site.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is no news."""


class Squid(Daemon):
    service, port, by_reference = "forward-proxy", 3128, False
    names = ("proxy.example.com",)
    key_owner = ("root", "root")
    extra_profile = {"probe": {"site": f"{SITE}:{SITE_PORT}"}}

    def places(self):
        return {"/var/spool/squid": self.folder / "spool", "/etc/squid": self.folder}

    def configure(self):
        self.configuration = self.folder / "squid.conf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        (self.folder / "spool").mkdir()
        shutil.chown(self.folder / "spool", "proxy", "proxy")
        (self.folder / "hosts").write_text(f"127.0.0.1 {SITE}\n")
        (self.folder / "cache.log").touch()
        shutil.chown(self.folder / "cache.log", "proxy", "proxy")
        self.site = Site(self.folder)
        self.authorities = {}

    def command(self):
        return ["squid", "--foreground", "-YC", "-f", self.configuration]

    def connect(self, context):
        raw = socket.create_connection(("127.0.0.1", self.port), 10)
        raw.sendall(f"CONNECT {SITE}:{SITE_PORT} HTTP/1.1\r\nHost: {SITE}:{SITE_PORT}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = raw.recv(1)  # nothing of what comes behind it
            if not more:
                raise OSError(f"the proxy hung up after {answer!r}")
            answer += more
        if b" 200 " not in answer.split(b"\r\n")[0]:
            raise OSError(f"the proxy answered {answer!r}")
        return context.wrap_socket(raw, server_hostname=SITE)

    def clients(self, trust_pem):
        """It returns the CA that signed the leaf, as PEM: the leaf itself is the proxy's business."""
        leaf_of = super().clients(trust_pem)
        return lambda: self._signer(x509.load_pem_x509_certificate(leaf_of().encode()))

    def _signer(self, leaf):
        for file in pathlib.Path(self.box.manager.live(self.service, self.names[0])).parent.glob("generations/*/cert.pem"):
            pem = file.read_text()
            self.authorities.setdefault(pem, x509.load_pem_x509_certificate(pem.encode()))
        for pem, authority in list(self.authorities.items()):
            try:
                authority.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes,
                                              ec.ECDSA(leaf.signature_hash_algorithm))
                return pem
            except InvalidSignature:
                continue
        raise BoxError("the leaf is signed by no inspection CA that this box had")

    def stores(self):
        return sorted(store.name for store in (self.folder / "spool").glob("ssl_db.*"))

    def stop(self):
        super().stop()
        if not self.box.manager.process or not self.box.manager.process.running():  # the box ends
            self.site.shutdown()
            self.site.server_close()
