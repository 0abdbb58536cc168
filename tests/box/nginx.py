"""nginx as the gateway has it: a web interface and two reverse-proxied names, workers without privileges."""

import contextlib
import signal

from .process import BoxError, Process, port_open

PAGE = """
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {name};
        ssl_certificate {files}/fullchain.pem;
        ssl_certificate_key {files}/key.pem;
        location / {{ return 200 "{name}\\n"; }}
    }}
"""
# All names by one block: nginx opens the files for each handshake anew, and none when it is reloaded.
ANY_PAGE = """
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name ~.;
        ssl_certificate {live}/$ssl_server_name/current/fullchain.pem;
        ssl_certificate_key {live}/$ssl_server_name/current/key.pem;
        location / {{ return 200 "$ssl_server_name\\n"; }}
    }}
"""
CONFIGURATION = """daemon off;
user www-data;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {log} notice;
events {{ worker_connections 512; }}
http {{
    access_log off;
    {temporary}
    ssl_session_cache off;
    server {{
        listen 127.0.0.1:{http_port};
        location /.well-known/acme-challenge/ {{ proxy_pass http://127.0.0.1:{responder_port}; }}
        location / {{ return 404; }}
    }}
    server {{
        listen 127.0.0.1:{port} ssl default_server;
        ssl_reject_handshake on;
    }}
{pages}}}
"""
# Where nginx may write, whoever runs it.
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
STARTS = 5  # StartLimitBurst= as systemd has it


def temporary_paths(folder):
    """For a block "http"."""
    return "\n    ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)


class Nginx:
    """`pages`: name -> folder with fullchain.pem and key.pem. `openssl_conf` activates the key provider."""

    def __init__(self, folder, http_port, port, responder_port, pages, openssl_conf):
        self.folder = folder / "nginx"
        self.folder.mkdir()
        self.http_port, self.port, self.responder_port = http_port, port, responder_port
        self.openssl_conf = openssl_conf
        self.log = folder / "log/nginx.log"
        self.configuration = self.folder / "nginx.conf"
        self.pid_file = self.folder / "nginx.pid"
        # The manager runs "nginx -t" without privileges, and that opens both for writing.
        for file in (self.log, self.pid_file):
            file.touch()
            file.chmod(0o666)
        # It makes these at its first start; "nginx -t" may come before that.
        for name in TEMPORARY:
            (self.folder / name).mkdir()
        self.process = None
        self.write_configuration(pages)
        # Ambient CAP_KILL lets the unprivileged manager do what systemd's reload does on a gateway.
        self.reload_command = self._script("reload", f'exec kill -HUP "$(cat {self.pid_file})"')
        self.check_command = self._script(
            "check", f"OPENSSL_CONF={openssl_conf} exec /usr/sbin/nginx -q -t -c {self.configuration}")

    def write_configuration(self, pages, live=None):
        """`live`: the folder of a service, with one for each name: all others are served by one block from there."""
        blocks = [PAGE.format(port=self.port, name=name, files=files) for name, files in pages.items()]
        if live:
            blocks.append(ANY_PAGE.format(port=self.port, live=live))
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder, temporary=temporary_paths(self.folder), log=self.log, http_port=self.http_port,
            port=self.port, responder_port=self.responder_port, pages="".join(blocks)))

    def _script(self, name, line):
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)
        return [str(file)]

    def start(self):
        """Where it fails, again, as often as the Restart= of its unit does: it may have read a certificate before a
        change, and the key after it."""
        for _ in range(STARTS - 1):
            with contextlib.suppress(BoxError):
                return self._start()
        return self._start()

    def _start(self):
        self.process = Process("nginx", ["nginx", "-e", self.log, "-c", self.configuration], self.log,
                               environment={"OPENSSL_CONF": str(self.openssl_conf)})
        self.process.wait_until("its port was open", self._up)

    def _up(self):
        # The port alone says nothing: "nginx -t" opens it too, for a moment.
        return self.pid_file.exists() and self.pid_file.stat().st_size > 0 and port_open(self.port)

    def reload(self):
        self.process.kill(signal.SIGHUP)

    def stop(self):
        if self.process:
            self.process.stop()
            # It removes its own. "nginx -t" without privileges opens one also while nginx is down.
            self.pid_file.touch()
            self.pid_file.chmod(0o666)
