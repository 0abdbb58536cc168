"""An HTTPS proxy in front of an ACME server, that notes the nonces of its answers (RFC 8555 6.5.1)."""

import http.client
import http.server
import ssl
import threading

from box.acme import make_server_certificate


class NonceRecorder:
    """Looks like a CA of the box's settings: `directory` and `trust_file`. The server builds its URLs from the Host
    that it is asked for, so that they lead through here."""

    def __init__(self, folder, server):
        folder.mkdir()
        self.trust_file, key = make_server_certificate(folder)
        self.trust_file.chmod(0o644)
        self.nonces = set()
        towards = ssl.create_default_context(cafile=str(server.trust_file))
        nonces, port = self.nonces, server.port

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                connection = http.client.HTTPSConnection("127.0.0.1", port, context=towards)
                connection.request(self.command, self.path, body or None, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                nonces.update(value.encode() for name, value in answer.getheaders() if name.lower() == "replay-nonce")
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = forward

            def log_message(self, *_):
                """The test's output stays readable."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
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
