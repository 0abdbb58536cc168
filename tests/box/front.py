"""What owns ports 80 and 443 of a gateway: nginx and haproxy, in arrangements that change while they run."""

import pathlib
import shutil
import signal

from .acme import make_server_certificate
from .namespace import ROOTFS
from .nginx import temporary_paths
from .process import Process, port_open, run, wait_until

NGINX = """daemon off;
user www-data;
worker_processes 1;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log notice;
events {{ worker_connections 512; }}
http {{
    access_log off;
    {temporary}
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    server {{ listen 127.0.0.1:8081; location / {{ return 200 "application\\n"; }} }}
{servers}}}
stream {{
{stream}}}
"""
# The sites of the box: one alone has the ports, several share them by name, and the first answers for all other names.
SITES = {
    "proxy": """    server {{
{listen}        listen 127.0.0.1:8443 ssl;
        server_name app.example.com;
        include {challenges};
        location / {{ proxy_pass http://127.0.0.1:8081; }}
    }}
""",
    "web": """    server {{
{listen}        listen 127.0.0.1:8443 ssl;
        server_name gw.example.com;
        include {challenges};
        location / {{ return 200 "web interface\\n"; }}
    }}
""",
    # Whoever has not logged in is led to it, whatever was asked for.
    "portal": """    server {{
{listen}        listen 127.0.0.1:8443 ssl;
        server_name shop.example.com;
        include {challenges};
        location / {{ return 302 http://shop.example.com/login; }}
        location = /login {{ return 200 "portal\\n"; }}
    }}
""",
}
STREAM = """    include {challenges};
    server {{ listen 127.0.0.1:443 reuseport; ssl_preread on; proxy_pass $certmgr_upstream; }}
"""
HAPROXY = """global
    user haproxy
    group haproxy
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend web
    bind 127.0.0.1:80
    use_backend certmgr_challenges if { path_beg /.well-known/acme-challenge/ }
    default_backend nginx
backend nginx
    server nginx 127.0.0.1:8080
frontend tls
    mode tcp
    bind 127.0.0.1:443
    tcp-request inspect-delay 5s
    tcp-request content accept if { req.ssl_hello_type 1 }
    use_backend certmgr_tls_challenges if { req.ssl_alpn acme-tls/1 }
    default_backend nginx_tls
backend nginx_tls
    mode tcp
    server nginx 127.0.0.1:8443
"""


def start_tls_responder(box, port):
    """What answers tls-alpn-01, on a port of loopback, from a folder that is in the settings now. Returns that, and its
    process."""
    challenges = box.folder / "tls-challenges"
    challenges.mkdir()
    shutil.chown(challenges, "certmgr", "certmgr")
    settings = box.manager.configuration
    settings.write_text(f'tls_challenge_directory = "{challenges}"\n' + settings.read_text())
    log = box.folder / "log/tls-responder.log"
    responder = Process("certmgr-tls-responder", [box.programs["tls_responder"], "--directory", challenges, "--listen",
                                                  f"127.0.0.1:{port}"], log, user="certmgr-responder")
    box.add(responder)
    responder.wait_until("its port was open", lambda: port_open(port))
    return challenges, responder


class Front:
    """nginx runs all the time; haproxy comes before it, and goes again."""

    def __init__(self, box):
        self.folder = box.folder / "front"
        self.folder.mkdir()
        self.certificate, self.key = make_server_certificate(self.folder)
        for name in ("nginx-challenges.conf", "nginx-tls-challenges.conf", "haproxy-challenges.cfg"):
            shipped = (ROOTFS / "usr/share/certmgr" / name).read_text()
            (self.folder / name).write_text(shipped.replace(":8402", f":{box.responder.port}"))
        # What waits for a process that stops listening goes to the other one that listens on the port.
        pathlib.Path("/proc/sys/net/ipv4/tcp_migrate_req").write_text("1")
        self.configuration = self.folder / "nginx.conf"
        (self.folder / "haproxy.cfg").write_text(HAPROXY)
        self.haproxy = None
        self.write(("proxy",), own=True)
        self.nginx = Process("nginx", ["nginx", "-e", self.folder / "nginx.log", "-c", self.configuration],
                             self.folder / "nginx.log")
        self.nginx.wait_until("its ports were open", lambda: port_open(80) and port_open(443))
        box.add(self)

    def write(self, sites, own):
        """`own`: it has ports 80 and 443; 8080 and 8443 it has always."""
        servers = ""
        for place, site in enumerate(sites):
            first = "" if place else " default_server"
            listen = f"        listen 127.0.0.1:8080{first};\n"
            if own:
                listen += f"        listen 127.0.0.1:80{first}{'' if place else ' reuseport'};\n"
            servers += SITES[site].format(listen=listen, challenges=self.folder / "nginx-challenges.conf")
        stream = STREAM.format(challenges=self.folder / "nginx-tls-challenges.conf") if own else ""
        self.configuration.write_text(NGINX.format(
            folder=self.folder, temporary=temporary_paths(self.folder), certificate=self.certificate, key=self.key,
            servers=servers, stream=stream))

    def reload(self, sites, own):
        """Returns when new workers have the ports."""
        before = self.workers()
        self.write(sites, own)
        run(["nginx", "-q", "-t", "-e", self.folder / "nginx.log", "-c", self.configuration])
        run(["kill", "-HUP", str(self.nginx.pid)])
        wait_until("new workers of nginx", lambda: self.workers() and not self.workers() & before)

    def workers(self):
        """Those that are not on their way out."""
        listed = run(["ps", "--no-headers", "-o", "pid,args", "--ppid", str(self.nginx.pid)], check=False).stdout
        return {line.split()[0] for line in listed.splitlines() if "shutting down" not in line}

    def arrange(self, sites, haproxy):
        """Who comes is there before the other goes."""
        self.reload(sites, own=not haproxy or not self.haproxy)
        if haproxy and not self.haproxy:
            self.haproxy = Process("haproxy", ["haproxy", "-db", "-f", self.folder / "haproxy.cfg", "-f",
                                               self.folder / "haproxy-challenges.cfg"], self.folder / "haproxy.log")
            self.haproxy.wait_until("it was up", self.haproxy_listens)
            self.reload(sites, own=False)
        elif self.haproxy and not haproxy:
            self.haproxy.kill(signal.SIGUSR1)  # it ends when its last connection has
            wait_until("end of haproxy", lambda: not self.haproxy.running())
            self.haproxy = None

    def haproxy_listens(self):
        return all("haproxy" in run(["ss", "-Hltnp", f"sport = :{port}"]).stdout for port in (80, 443))

    def stop(self):
        for process in (self.haproxy, self.nginx):
            if process:
                process.stop()
