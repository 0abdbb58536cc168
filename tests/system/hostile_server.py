"""HTTPS servers that an ACME client must survive: each behaviour answers every request in one wrong way."""

import http.server
import ssl
import threading

from box.acme import make_server_certificate
from box.process import run


def html(handler):
    _answer(handler, 200, "text/html", b"<html><body>It works!</body></html>")


def server_error(handler):
    _answer(handler, 500, "text/plain", b"out of order")


def wrong_json(handler):
    _answer(handler, 200, "application/json", b'{"newNonce": 7, "newOrder": []}')


def redirect(handler):
    handler.send_response(302)
    handler.send_header("Location", "https://127.0.0.1:1/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b'{"a":' * 10_000)
    except OSError:
        handler.close_connection = True  # the client had enough, as it should


def hang_up(handler):
    handler.close_connection = True


def _answer(handler, status, content_type, body):
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


BEHAVIOURS = {"html": html, "server error": server_error, "wrong JSON": wrong_json, "redirect": redirect,
              "endless body": endless, "hang up": hang_up, "expired TLS": html}


class HostileServer:
    """Looks like a CA of the box's settings: `directory` and `trust_file`."""

    def __init__(self, folder, behaviour):
        folder.mkdir(exist_ok=True)
        self.trust_file, key = make_server_certificate(folder)
        if behaviour == "expired TLS":
            request = folder / "request.pem"
            run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=expired", "-addext",
                 "subjectAltName=IP:127.0.0.1", "-out", request])
            run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-copy_extensions",
                 "copyall", "-out", self.trust_file])
        self.trust_file.chmod(0o644)
        answer = BEHAVIOURS[behaviour]

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                answer(self)

            do_GET = do_HEAD = do_POST = answer

            def log_message(self, *_):
                """The test's output stays readable."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # refused handshakes are what some of the tests want
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
