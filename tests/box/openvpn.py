"""OpenVPN with a pool of addresses, and a client that looks at what it is shown."""

import pathlib
import subprocess
import tempfile

from .daemon import Daemon
from .process import find_program, run

CONFIGURATION = """dev tun
proto udp
local 127.0.0.1
port 1194
server 10.45.0.0 255.255.255.0
topology subnet
ca {folder}/client-cas.pem
crl-verify {authority}/crl.pem
cert {files}/fullchain.pem
key {files}/key.pem
dh none
keepalive 2 10
verb 3
"""


class OpenVpn(Daemon):
    service, unit, port = "openvpn", "openvpn-server@server.service", 1194
    names = ("vpn.example.com",)

    def configure(self):
        self._make_pair("client-ca", "-addext", "basicConstraints=critical,CA:TRUE")
        self._make_pair("client", "-CA", self.folder / "client-ca.pem", "-CAkey", self.folder / "client-ca.key",
                        "-addext", "extendedKeyUsage=clientAuth", "-addext", "basicConstraints=critical,CA:FALSE")
        self.configuration = self.folder / "server.conf"
        self.authority = self.box.manager.state / "authority"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder, files=self.files(),
                                                           authority=self.authority))

    def _make_pair(self, name, *more):
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={name}", "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem", *more])

    def start(self):
        """Clients are of the box's CA, or of one that the tests of all services have."""
        (self.folder / "client-cas.pem").write_text((self.folder / "client-ca.pem").read_text()
                                                    + (self.authority / "client-ca.pem").read_text())
        super().start()

    def command(self):
        return ["openvpn", self.configuration]

    def up(self):
        return f":{self.port:04X} " in pathlib.Path("/proc/net/udp").read_text()

    def reload_command(self):
        return f"kill -USR1 {self.pid_of_main()}"

    def clients(self, trust_pem, certificate=None):
        trust = self.folder / "trust.pem"
        trust.write_text(trust_pem)
        keep = self.folder / "keep"
        keep.write_text('#!/bin/sh\n[ "$2" != 0 ] || cat "$peer_cert" >"$1"\n')
        keep.chmod(0o755)

        def one():
            with tempfile.TemporaryDirectory() as folder:
                command = [find_program("openvpn"), "--client", "--dev", "null", "--nobind", "--verb", "3", "--ca", trust,
                           "--cert", certificate or self.folder / "client.pem",
                           "--key", certificate or self.folder / "client.key",
                           "--verify-x509-name", self.names[0], "name", "--remote-cert-tls", "server",
                           "--connect-retry-max", "1", "--hand-window", "15", "--server-poll-timeout", "15",
                           "--remap-usr1", "SIGTERM", "--tls-export-cert", folder, "--script-security", "2",
                           "--tls-verify", f"{keep} {folder}/leaf",
                           "--remote", "127.0.0.1", str(self.port)]
                output = []
                with subprocess.Popen(command, stdout=subprocess.PIPE,
                                      text=True) as client:
                    for line in client.stdout:
                        output.append(line)
                        if "Peer Connection Initiated" in line:  # both sides have verified each other
                            client.terminate()
                            return (pathlib.Path(folder) / "leaf").read_text()
                raise OSError("".join(output)[-500:])

        return one
