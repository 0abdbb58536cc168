"""strongSwan as the IKEv2 gateway, and a second one, in a network namespace of its own, as its client."""

import os
import shutil
import threading

from .daemon import Daemon
from .namespace import ROOTFS
from .process import Process, find_program, run, wait_until
from .tls import CERTIFICATE

LOAD = ("random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints revocation sha2 sha1 md5 hmac kdf gcm aes "
        "curve25519 md4 socket-default kernel-libipsec kernel-netlink vici updown eap-identity eap-mschapv2")
STRONGSWAN = """charon-systemd {{
  load = {load}
  install_routes = no
  retransmit_timeout = 1
  filelog {{
    stderr {{
      default = 1
      flush_line = yes
    }}
  }}
  plugins {{
    vici {{
      socket = unix://{folder}/vici
    }}
    kernel-libipsec {{
      load = yes
      allow_peer_ts = yes
    }}
  }}
}}
"""
GATEWAY = """connections {{
  remote-access {{
    version = 2
    pools = people
    send_cert = always
    local {{
      auth = pubkey
      certs = {files}/fullchain.pem
      id = {name}
    }}
    remote {{
      auth = eap-mschapv2
      eap_id = %any
    }}
    children {{
      net {{
        local_ts = 10.46.1.0/24
      }}
    }}
  }}
  colleagues {{
    version = 2
    pools = people
    send_cert = always
    local {{
      auth = pubkey
      certs = {files}/fullchain.pem
      id = {name}
    }}
    remote {{
      auth = pubkey
      revocation = strict
    }}
    children {{
      net {{
        local_ts = 10.46.1.0/24
      }}
    }}
  }}
}}
pools {{
  people {{
    addrs = 10.47.0.0/24
  }}
}}
secrets {{
  eap-alice {{
    id = alice
    secret = opens-sesame
  }}
}}
"""
CLIENT = """connections {{
  gateway {{
    version = 2
    remote_addrs = 10.44.0.2
    vips = 0.0.0.0
    local {{
      {identity}
    }}
    remote {{
      auth = pubkey
      certs = {leaf}
      id = {name}
    }}
    children {{
      net {{
        remote_ts = 10.46.1.0/24
      }}
    }}
  }}
}}
secrets {{
  eap-alice {{
    id = alice
    secret = opens-sesame
  }}
}}
"""


BY_PASSWORD = "auth = eap-mschapv2\n      eap_id = alice\n      id = alice"
BY_CERTIFICATE = "auth = pubkey\n      certs = {certificate}\n      id = {person}"


class Charon:
    """One charon-systemd below `folder`; `inside`: a command that enters its network namespace."""

    def __init__(self, folder, inside=()):
        self.folder, self.inside = folder, list(inside)
        for name in ("x509", "x509ca", "x509crl", "private"):
            (folder / "swanctl" / name).mkdir(parents=True)
        (folder / "strongswan.conf").write_text(STRONGSWAN.format(load=LOAD, folder=folder))
        self.process = None

    def command(self):
        return [*self.inside, find_program("charon-systemd")]

    def environment(self):
        return {"STRONGSWAN_CONF": str(self.folder / "strongswan.conf"), "SWANCTL_DIR": str(self.folder / "swanctl")}

    def control(self, *arguments, check=True):
        return run(["swanctl", *arguments, "--uri", f"unix://{self.folder}/vici"], check=check,
                   env={**os.environ, **self.environment()}, limit=20)

    def up(self):
        return (self.folder / "vici").exists() and self.control("--stats", check=False).returncode == 0

    def write(self, configuration):
        (self.folder / "swanctl/swanctl.conf").write_text(configuration)


class StrongSwan(Daemon):
    service, unit, port = "ikev2", "strongswan.service", 500
    names = ("vpn.example.com",)

    def places(self):
        return {"/run/certmgr-ikev2.sock": self.folder / "view.sock", "/etc/swanctl": self.folder / "swanctl",
                "/var/lib/certmgr/authority": self.box.manager.state / "authority"}

    def configure(self):
        self.charon = Charon(self.folder)
        self.environment = {**self.environment, **self.charon.environment()}
        self.charon.write(GATEWAY.format(files=self.files(), name=self.names[0]))
        (self.folder / "swanctl/private/key.pem").symlink_to(self.files() / "key.pem")
        (self.folder / "swanctl/x509ca/issuer.pem").symlink_to(self.files() / "chain.pem")
        self.client = self.view = None
        self.initiating = threading.Lock()

    def command(self):
        return self.charon.command()

    def up(self):
        return self.charon.up()

    def start(self):
        super().start()
        self.charon.control("--load-all", "--noprompt")  # as its unit does
        if not self.view:
            self._start_view()
            self._start_client()

    def reload_command(self):
        return (f"SWANCTL_DIR={self.folder}/swanctl swanctl --load-all --clear --noprompt "
                f"--uri unix://{self.folder}/vici >/dev/null")

    def _start_view(self):
        """As certmgr-ikev2.socket does it."""
        self.view = Process("view", ["socat", f"UNIX-LISTEN:{self.folder}/view.sock,fork,mode=666",
                                     f"EXEC:{ROOTFS}/usr/libexec/certmgr/ikev2-view unix\\://{self.folder}/vici"],
                            self.log)

    def _start_client(self):
        folder = self.folder / "client"
        inside = Process("namespace", ["unshare", "-n", "sleep", "infinity"], self.log)
        self.namespace = inside
        wait_until("namespace", lambda: os.readlink(f"/proc/{inside.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        enter = ["nsenter", "-t", str(inside.pid), "-n"]
        run(["ip", "link", "add", "gw0", "type", "veth", "peer", "name", "cl0", "netns", str(inside.pid)])
        run(["ip", "address", "add", "10.44.0.2/24", "dev", "gw0"])
        run(["ip", "link", "set", "gw0", "up"])
        run([*enter, "ip", "address", "add", "10.44.0.1/24", "dev", "cl0"])
        run([*enter, "ip", "link", "set", "cl0", "up"])
        folder.mkdir()
        self.peer = Charon(folder, enter)
        self.client = Process("client", self.peer.command(), self.box.folder / "log/ikev2-client.log",
                              environment=self.peer.environment())
        self.client.wait_until("it was up", self.peer.up)

    def clients(self, trust_pem, person=None, bundle=None):
        """An IKE_SA comes up only with the leaf that the client has pinned: it tries those that there are. The client is
        `person`, who has the key and the certificate of `bundle`, or else has a password."""
        identity = BY_PASSWORD
        if bundle:
            shutil.copy(bundle, self.folder / "client/swanctl/private")
            certificate = self.folder / "client" / bundle.name  # of a file with a key in front swanctl takes nothing else
            certificate.write_text(CERTIFICATE.search(bundle.read_text()).group())
            identity = BY_CERTIFICATE.format(certificate=certificate, person=person)
        (self.folder / "client/swanctl/x509ca/root.pem").write_text(trust_pem)

        def one():
            with self.initiating:
                tried = ""
                generations = sorted((self.files().parent / "generations").glob("[0-9]*"), key=lambda it: -int(it.name))
                # Twice: the gateway may change while the first round is at a leaf that it does not have any more.
                for leaf in (generation / "cert.pem" for generation in generations * 2):
                    self.peer.write(CLIENT.format(leaf=leaf, name=self.names[0], identity=identity))
                    self.peer.control("--load-all", "--clear", "--noprompt")
                    answer = self.peer.control("--initiate", "--child", "net", "--timeout", "3", check=False)
                    self.peer.control("--terminate", "--ike", "gateway", "--timeout", "2", check=False)
                    if "IKE_SA gateway[" in answer.stdout and "established between" in answer.stdout:
                        return leaf.read_text()
                    tried += answer.stdout[-600:]
                raise OSError(tried)

        return one

    def stop(self):
        super().stop()
        if not self.box.manager.process or not self.box.manager.process.running():  # the box ends
            for part in (self.client, self.view, self.namespace):
                part.stop()
