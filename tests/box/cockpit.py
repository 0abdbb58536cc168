"""Cockpit's cockpit-tls, which is GnuTLS and copies key and certificate when it starts."""

from .daemon import Daemon

# As cockpit.service does it, in mounts of its own.
SERVICE = """mount --bind {certificates} /etc/cockpit/ws-certs.d
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/cockpit/tls /run/cockpit/wsinstance
chown cockpit-ws: /run/cockpit/tls
trap 'kill $child; exit' TERM
export RUNTIME_DIRECTORY=/run/cockpit/tls
while /usr/lib/cockpit/cockpit-certificate-ensure --for-cockpit-tls; do
    setpriv --reuid cockpit-ws --regid cockpit-ws --init-groups --no-new-privs \\
        /usr/lib/cockpit/cockpit-tls --idle-timeout 0 &
    child=$!
    echo $child >{folder}/child
    wait $child
    rm -rf /run/cockpit/tls/*
done
"""
SYSTEMCTL = """#!/bin/sh
[ "$*" = "try-restart cockpit.service" ] || exit 64
[ ! -e {folder}/pid ] || kill "$(cat {folder}/child)"
"""


class Cockpit(Daemon):
    service, port, by_reference = "cockpit", 9090, False
    names = ("gw.example.com",)
    key_owner = ("root", "root")

    def places(self):
        return {"/usr/bin/systemctl": self.folder / "systemctl",
                "/etc/cockpit/ws-certs.d": self.folder / "ws-certs.d"}

    def configure(self):
        systemctl = self.folder / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(folder=self.folder))
        systemctl.chmod(0o755)
        (self.folder / "ws-certs.d").mkdir()

    def command(self):
        return ["unshare", "-m", "sh", "-c",
                SERVICE.format(folder=self.folder, certificates=self.folder / "ws-certs.d")]
