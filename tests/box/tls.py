"""What an independent client sees: openssl s_client, and a client that keeps requesting."""

import collections
import re
import socket
import ssl
import time

from .meanwhile import Meanwhile
from .process import run

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


class Seen:
    """One handshake: whether it was verified, the chain as sent, and who issued the leaf."""

    def __init__(self, output):
        self.output = output
        self.chain = CERTIFICATE.findall(output)
        self.verified = "Verify return code: 0 (ok)" in output
        issuer = re.search(r"^ *issuer ?= ?(.*)$", output, re.MULTILINE)
        self.issuer = issuer.group(1) if issuer else ""

    @property
    def leaf(self):
        return self.chain[0] if self.chain else None


def look(name, port, trust_file):
    """By openssl s_client, which shares no code path with certmgr's own probe."""
    result = run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-showcerts",
                  "-verify_hostname", name, "-CAfile", trust_file, "-no-CApath", "-no-CAstore"],
                 check=False, limit=20)
    return Seen(result.stdout)


class Hammer(Meanwhile):
    """Two threads that open one connection after another, and one that stays; every error is kept."""

    def __init__(self, name, port, trust_pem):
        super().__init__(self._new, self._new, self._stay)
        self.name, self.port = name, port
        self.context = ssl.create_default_context(cadata=trust_pem)
        self.errors = []
        self.issuers = collections.Counter()

    def _connect(self):
        raw = socket.create_connection(("127.0.0.1", self.port), 10)
        return self.context.wrap_socket(raw, server_hostname=self.name)

    def _ask(self, connection, more):
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {self.name}\r\nConnection: {more}\r\n\r\n".encode())
        answer = connection.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(f"answered {answer[:60]!r}")

    def _note_issuer(self, connection):
        issuer = dict(pair[0] for pair in connection.getpeercert()["issuer"])
        self.issuers[issuer["commonName"]] += 1

    def _new(self):
        while not self.stopping.is_set():
            try:
                with self._connect() as connection:
                    self._note_issuer(connection)
                    self._ask(connection, "close")
            except OSError as error:
                self.errors.append(f"new connection: {error}")

    def _stay(self):
        """One request in flight all the while: its headers are sent slowly, over every reload."""
        while not self.stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.sendall(f"GET / HTTP/1.1\r\nHost: {self.name}\r\n".encode())
                    for _ in range(20):
                        if self.stopping.is_set():
                            break
                        connection.sendall(b"X-Slow: 1\r\n")
                        time.sleep(0.1)
                    connection.sendall(b"Connection: close\r\n\r\n")
                    if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                        raise OSError("no answer to a request in flight")
            except OSError as error:
                self.errors.append(f"request in flight: {error}")
