"""haproxy as a reverse proxy, whose certificates change while it runs."""

from .daemon import Daemon

CONFIGURATION = """global
  user haproxy
  group haproxy
  stats socket {folder}/admin.sock mode 660 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend sites
  bind 127.0.0.1:443 ssl crt {files}/combined.pem
  http-request return status 200 content-type text/plain string hello
"""


class Haproxy(Daemon):
    service, port = "haproxy", 443
    names = ("app.example.com",)

    def places(self):
        return {"/run/haproxy": self.folder}

    def configure(self):
        self.configuration = self.folder / "haproxy.cfg"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder, files=self.files()))

    def command(self):
        return ["haproxy", "-db", "-f", self.configuration]
