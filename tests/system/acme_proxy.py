"""An HTTPS proxy in front of an ACME server, that looks at what passes and may change it."""

import contextlib
import http.client
import http.server
import json
import os
import socket
import ssl
import struct
import threading

from box.acme import make_server_certificate

# What a path of Pebble is, in the words of RFC 8555 7.1.
RESOURCES = {"/dir": "directory", "/nonce-plz": "newNonce", "/sign-me-up": "newAccount", "/order-plz": "newOrder",
             "/authZ/": "authorization", "/chalZ/": "challenge", "/finalize-order/": "finalize", "/my-order/": "order",
             "/certZ/": "certificate", "/list-orderz/": "orders", "/revoke-cert": "revokeCert",
             "/rollover-account-key": "keyChange",
             "/draft-ietf-acme-ari-03/renewalInfo/": "renewalInfo"}


def resource_of(path):
    if "/alternate/" in path:
        return "alternate"
    return next((resource for prefix, resource in RESOURCES.items() if path.startswith(prefix)), path)


# ---- How a connection ends

def drop(connection):
    """The end of TCP without that of TLS."""
    connection.close()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def take_leave(connection):
    """As TLS wants it: nothing tells that an answer is not whole but what is in it."""
    with contextlib.suppress(OSError):
        connection.unwrap()


class Answer:
    """An HTTP answer in the making. `sent`: how many octets of it go out before `end(connection)`; None: all, and the
    connection stays. `pieces(octets)`: as which they go out, and what follows them."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body, self.sent = status, dict(headers), body, None
        self.pieces, self.end = lambda octets: [octets], drop

    @property
    def json(self):
        return json.loads(self.body)

    @json.setter
    def json(self, value):
        self.body = json.dumps(value).encode()
        self.headers["Content-Length"] = str(len(self.body))

    def head(self):
        lines = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Other')}",
                 *(f"{name}: {value}" for name, value in self.headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def octets(self, command):
        return (self.head() + (b"" if command == "HEAD" else self.body))[:self.sent]


class AcmeProxy:
    """Looks like a CA of the box's settings: `directory` and `trust_file`. The server builds its URLs from the Host that
    it is asked for, so that they lead through here. `change(resource, answer, ask)` returns the answer that is given;
    the server is asked only when `ask()` is called. `greet(connection)` has a new one before TLS, and raises an OSError to
    end it. `keep`: a connection is good for more than one request."""

    def __init__(self, folder, server, change=lambda resource, ask: ask()):
        folder.mkdir()
        self.trust_file, key = make_server_certificate(folder)
        self.trust_file.chmod(0o644)
        self.change, self.greet, self.keep = change, lambda connection: None, True
        proxy, port = self, server.port
        towards = ssl.create_default_context(cafile=str(server.trust_file))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                proxy.greet(self.request)
                super().setup()

            def ask(self, body):
                connection = http.client.HTTPSConnection("127.0.0.1", port, context=towards)
                connection.request(self.command, self.path, body or None, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                headers = {name: value for name, value in answer.getheaders()
                           if name.lower() not in ("content-length", "transfer-encoding", "connection")}
                return Answer(answer.status, {**headers, "Content-Length": str(len(content))}, content)

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = proxy.change(resource_of(self.path), lambda: self.ask(body))
                if not proxy.keep:
                    answer.headers["Connection"] = "close"
                for piece in answer.pieces(answer.octets(self.command)):
                    self.wfile.write(piece)
                if answer.sent is not None:
                    answer.end(self.connection)
                if answer.sent is not None or not proxy.keep:
                    self.close_connection = True

            do_GET = do_HEAD = do_POST = forward

            def log_message(self, *_):
                """The test's output stays readable."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that had enough are what some of the tests want
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.trust_file, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.directory = f"https://127.0.0.1:{self.server.server_address[1]}/dir"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
