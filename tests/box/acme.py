"""ACME servers on loopback: Pebble with its mock DNS, and Caddy as a second, independent implementation."""

import json
import os
import pathlib
import re
import signal
import ssl
import urllib.request

from .process import Process, find_program, free_ports, port_open, run

# Environment of a Pebble that answers at once.
QUICK = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


def cached(name):
    """The newer build that scripts/setup puts into the cache where Go is there, else Debian's; and which it is."""
    newer = pathlib.Path(os.environ.get("CERTMGR_CACHE", pathlib.Path.home() / ".cache/certmgr")) / "bin" / name
    return (newer, True) if newer.exists() else (find_program(name), False)


def make_server_certificate(folder):
    """A self-signed certificate for the server's own HTTPS on 127.0.0.1, which is also what clients trust."""
    certificate, key = folder / "server.pem", folder / "server.key"
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=ACME server of the box", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", key, "-out", certificate])
    return certificate, key


class Pebble:
    """Every name resolves to 127.0.0.1, or as the name server on `dns_port` has it; http-01 is asked for on `http_port`. `newest`: the newer build where there is
    one; False: Debian's, for clients that do not know what the newer offers. `settings`: more of its configuration file."""

    def __init__(self, folder, http_port, environment=None, arguments=(), newest=True, dns_port=None, settings=None):
        self.folder = folder / "pebble"
        self.folder.mkdir()
        self.log = folder / "log/pebble.log"
        self.dns_log = folder / "log/challtestsrv.log"
        self.trust_file, key = make_server_certificate(self.folder)
        self.port, self.management, self.dns_port, self.dns_management = free_ports(4)
        self.directory = f"https://127.0.0.1:{self.port}/dir"
        self.asked = dns_port
        self.environment = environment or {}
        self.arguments = list(arguments)
        self.configuration = self.folder / "config.json"
        self.configuration.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.trust_file), "privateKey": str(key), "httpPort": http_port, "tlsPort": 1,
            "ocspResponderURL": "", "externalAccountBindingRequired": False, **(settings or {})}}))
        self.program, _ = cached("pebble") if newest else (find_program("pebble"), False)
        program, newer = cached("pebble-challtestsrv")
        self.dns = Process("pebble-challtestsrv", [
            program, "-dnsserver" if newer else "-dns01", f"127.0.0.1:{self.dns_port}", "-defaultIPv6", "",
            "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{self.dns_management}",
            *(["-doh", ""] if newer else [])], self.dns_log)
        self.dns.wait_until("its port was open", lambda: port_open(self.dns_management))
        self.start()

    def start(self):
        self.process = Process("pebble", [self.program, "-config", self.configuration, "-dnsserver",
                                          f"127.0.0.1:{self.asked or self.dns_port}", *self.arguments],
                               self.log, environment=self.environment)
        self.process.wait_until("its ports were open",
                                lambda: port_open(self.port) and port_open(self.management))

    def stop(self):
        self.process.stop()
        self.dns.stop()

    def stop_answering(self):
        self.process.stop()

    def locked_up(self):
        """Whether its goroutines wait for each other, as those of every Pebble do at times when dozens ask it at once. Ends
        it, since it shows them on SIGQUIT; those of a Pebble that works don't wait for locks."""
        self.process.kill(signal.SIGQUIT)
        self.process.child.wait(20)
        waiting = re.findall(r"^goroutine \d+ .*\[(?:sync\.|semacquire)", self.log.read_text(errors="replace"), re.MULTILINE)
        return len(waiting) > 5

    def root(self, number=0):
        """The root that its certificates chain up to, as PEM; another one after each start. `number`: of an alternate chain."""
        context = ssl.create_default_context(cafile=str(self.trust_file))
        with urllib.request.urlopen(f"https://127.0.0.1:{self.management}/roots/{number}", context=context, timeout=10) as it:
            return it.read().decode()

    def count(self, words):
        """How often a phrase stands in the server's log: "POST /order-plz" is a newOrder."""
        return self.log.read_text(errors="replace").count(words)


class Caddy:
    """Caddy's acme_server, with a CA of its own. It asks for http-01 on port 80 and resolves names by /etc/hosts:
    it needs namespace.enter(network=True)."""

    def __init__(self, folder):
        self.folder = folder / "caddy"
        self.folder.mkdir()
        self.port, = free_ports(1)
        self.directory = f"https://localhost:{self.port}/acme/local/directory"
        configuration = self.folder / "config.json"
        configuration.write_text(json.dumps({
            "admin": {"disabled": True},
            "storage": {"module": "file_system", "root": str(self.folder)},
            "apps": {
                "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
                "tls": {"automation": {"policies": [{"issuers": [{"module": "internal"}]}]}},
                "http": {"servers": {"acme": {
                    "listen": [f"127.0.0.1:{self.port}"],
                    "automatic_https": {"disable_redirects": True},
                    "routes": [{"match": [{"host": ["localhost"]}], "handle": [{
                        "handler": "acme_server", "ca": "local", "host": "localhost"}]}]}}}}}))
        self.process = Process("caddy", ["caddy", "run", "--config", configuration], folder / "log/caddy.log",
                               environment={"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder),
                                            "HOME": str(self.folder)})
        root = self.folder / "pki/authorities/local/root.crt"
        self.process.wait_until("its port was open", lambda: port_open(self.port) and root.exists())
        self.trust_file = folder / "caddy-root.pem"
        self.trust_file.write_text(root.read_text())  # Caddy's own folder is closed to others

    def root(self):
        return self.trust_file.read_text()

    def stop(self):
        self.process.stop()
