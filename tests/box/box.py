"""A whole gateway on loopback below one temporary folder; several may run at the same time."""

import os
import pathlib
import shutil
import tempfile

from . import namespace, tls
from .acme import Caddy, Pebble
from .bus import PrivateBus
from .keys import KeyDaemon, SoftwareTpm
from .knot import Knot
from .manager import Control, Manager, Responder
from .nginx import Nginx
from .process import BoxError, free_ports
from .systemd import ServiceManager

WEB_INTERFACE, *PROXIED = namespace.NAMES

OPENSSL_CONF = """openssl_conf = openssl_init
[openssl_init]
providers = providers
[providers]
default = default_sect
certmgr = certmgr_sect
[default_sect]
activate = 1
[certmgr_sect]
module = {module}
activate = 1
"""

PROGRAMS = {"certmgrd": "certmgr/daemon/certmgrd", "certmgrctl": "certmgr/ctl/program/certmgrctl",
            "keyd": "hal/keyd/certmgr-keyd", "responder": "certmgr/responder/certmgr-responder",
            "tls_responder": "certmgr/responder/certmgr-tls-responder",
            "install": "certmgr/install/certmgr-install",
            "port": "certmgr/port/certmgr-port", "provider": "hal/provider/certmgr.so"}


def install(folder):
    """Copies the binaries of the flavour that CERTMGR_PRESET names: a clone in /root, say, is closed to the users that
    the pieces run as. Returns the paths by name."""
    built = namespace.REPOSITORY / "build" / os.environ.get("CERTMGR_PRESET", "release")
    target = folder / "bin"
    target.mkdir()
    installed = {}
    for name, file in PROGRAMS.items():
        if not (built / file).exists():
            raise BoxError(f"{built / file} is not built; scripts/run and scripts/test build it")
        installed[name] = pathlib.Path(shutil.copy(built / file, target))
    return installed


class Box:
    """Starts everything but the manager and nginx, so that a test chooses in which order these come up.

    `ca`: "pebble", "debian-pebble", "caddy" or None. `pebble_environment`: its knobs, `pebble_settings`: more of its
    configuration. `tpm`: whether there is one.
    `proxied_challenges`: the ACME server asks nginx, which passes the question on; else it asks the responder itself.
    `zone`: real name servers have it, certmgrd may change it, and the ACME server asks them for everything.
    `check`: nginx -t comes before each reload. `sites`: nginx has its three; without them the test brings services of
    its own, by Daemon, and a stand-in for systemd.
    """

    def __init__(self, ca="pebble", pebble_environment=None, pebble_arguments=(), tpm=True, key_policy="prefer-tpm",
                 proxied_challenges=False, check=True, sites=True, zone=None, pebble_settings=None):
        # Short, since a socket's path may have 107 characters only (unix(7)).
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="certmgr-"))
        self.folder.chmod(0o755)
        os.umask(0o022)
        (self.folder / "log").mkdir()
        self.parts = []
        try:
            self._start(ca, pebble_environment, pebble_arguments, tpm, key_policy, proxied_challenges, check, sites, zone,
                        pebble_settings)
        except BaseException:
            self.close()
            raise

    def _start(self, ca, pebble_environment, pebble_arguments, tpm, key_policy, proxied_challenges, check, sites, zone,
               pebble_settings):
        programs = self.programs = install(self.folder)
        self.provider = programs["provider"]
        http_port, responder_port, self.port = free_ports(3)
        if ca == "caddy":
            responder_port = 80  # the only one that Caddy asks on
        self.bus = self._part(PrivateBus(self.folder))
        self.systemd = None if sites else self._part(ServiceManager(self.folder, self.bus))
        self.tpm = self._part(SoftwareTpm(self.folder)) if tpm else None
        self.keyd = self._part(KeyDaemon(self.folder, programs["keyd"], self.tpm.tcti if tpm else "none"))
        self.knot = self._part(Knot(self.folder, zone)) if zone else None
        self.ca = None
        if ca in ("pebble", "debian-pebble"):
            self.ca = self._part(Pebble(self.folder, http_port if proxied_challenges else responder_port,
                                        pebble_environment, pebble_arguments, newest=ca == "pebble",
                                        dns_port=self.knot.port if zone else None, settings=pebble_settings))
        elif ca == "caddy":
            self.ca = self._part(Caddy(self.folder))
        self.responder = self._part(Responder(self.folder, programs["responder"], responder_port))
        self.openssl_conf = openssl_conf = self.folder / "openssl.cnf"
        openssl_conf.write_text(OPENSSL_CONF.format(module=self.provider))
        self.manager = Manager(self.folder, programs["certmgrd"], self.bus.address,
                               http_port if proxied_challenges else responder_port)
        pages = {WEB_INTERFACE: self.manager.live("web-interface", WEB_INTERFACE),
                 **{name: self.manager.live("reverse-proxy", name) for name in PROXIED}}
        self.nginx = self._part(Nginx(self.folder, http_port, self.port, responder_port, pages, openssl_conf))
        if self.systemd:
            port = f"exec {programs['port']} --config {self.manager.configuration}"
            self.systemd.unit("certmgr-port@.service", **{"reload-or-restart": f'{port} open "$1"', "stop": f'{port} close "$1"'})
            self.systemd.unit("certmgr-install@.service",
                              start=f"exec {programs['install']} --config {self.manager.configuration} \"$1\"")
        self._part(self.manager)  # after nginx, so that it ends first and never sees it gone
        self.manager.configure(self.keyd.socket, self.provider, {ca: self.ca} if ca else {}, key_policy)
        if zone:
            self.manager.prove_by_dns(self.knot)
        if sites:
            self.manager.add_service("web-interface", "Web interface", [WEB_INTERFACE], self.nginx, check)
            self.manager.add_service("reverse-proxy", "Reverse proxy", PROXIED, self.nginx, check)
        self.control = Control(programs["certmgrctl"], self.bus.address)
        self.visitor = Control(programs["certmgrctl"], self.bus.address, user="visitor")

    def _part(self, part):
        self.parts.append(part)
        return part

    def add(self, daemon):
        """One that ends with the box, after the manager: that never sees it gone."""
        self.parts.insert(self.parts.index(self.manager), daemon)

    def start(self):
        """As on a gateway: the manager lays local certificates before the services come up."""
        self.manager.start()
        self.nginx.start()

    def look(self, name):
        """One handshake, verified up to the ACME server's root."""
        return self.look_trusting(name, self.ca.root(), "acme-root.pem")

    def look_locally(self, name):
        """One handshake, verified up to the box's own root."""
        return self.look_trusting(name, self.control.run("authority", "download").stdout, "local-root.pem")

    def look_trusting(self, name, root, file):
        trust_file = self.folder / file
        trust_file.write_text(root)
        return tls.look(name, self.port, trust_file)

    def close(self):
        for part in reversed(self.parts):
            part.stop()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
