"""nginx as web interface and as captive portal, under one name."""

from .daemon import Daemon
from .nginx import temporary_paths

CONFIGURATION = """daemon off;
user www-data;
pid {folder}/nginx.pid;
error_log {log} notice;
events {{ }}
http {{
    access_log off;
    {temporary}
    server {{
        listen 127.0.0.1:443 ssl;
        ssl_certificate {web}/fullchain.pem;
        ssl_certificate_key {web}/key.pem;
        location / {{ return 200 "web interface\\n"; }}
    }}
    server {{
        listen 127.0.0.1:8443 ssl;
        ssl_certificate {portal}/fullchain.pem;
        ssl_certificate_key {portal}/key.pem;
        location / {{ return 200 "portal\\n"; }}
    }}
}}
"""


class Portal(Daemon):
    service, unit, port = "captive-portal", "nginx.service", 8443
    names = ("gw.example.com",)

    def configure(self):
        manager = self.box.manager
        manager.enable("web-interface", self.names, {})
        self.configuration = self.folder / "nginx.conf"
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder, temporary=temporary_paths(self.folder), log=self.log, portal=self.files(),
            web=manager.live("web-interface", self.names[0])))

    def command(self):
        return ["nginx", "-e", self.log, "-c", self.configuration]
