"""knot: a primary on 127.0.0.1 that takes updates with a TSIG key, and a secondary on 127.0.0.2 that follows it when it is
told to."""

import base64
import shutil

from .process import BoxError, Process, free_ports, run, wait_until

RECORDS = """$ORIGIN {zone}.
$TTL 60
@ SOA ns1 admin 1 3600 3600 7200 1
@ NS ns1
@ NS ns2
@ A 127.0.0.1
* A 127.0.0.1
ns1 A 127.0.0.1
ns2 A 127.0.0.2
"""
SERVER = """server:
  listen: {address}@{port}
  rundir: {folder}
  tcp-workers: 1
  udp-workers: 1
  background-workers: 1
database:
  storage: {folder}
log:
  - target: stderr
    any: info
"""
PRIMARY = SERVER + """key:
  - id: certmgr
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: update
    key: certmgr
    action: update
    update-type: [TXT]
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
zone:
  - domain: {zone}
    storage: {folder}
    file: zone
    zonefile-sync: -1
    acl: [update, transfer]
"""
SECONDARY = SERVER + """remote:
  - id: primary
    address: 127.0.0.1@{port}
zone:
  - domain: {zone}
    storage: {folder}
    master: primary
"""


class Knot:
    def __init__(self, folder, zone):
        self.folder, self.zone = folder / "knot", zone
        self.folder.mkdir()
        self.log = folder / "log/knot.log"
        self.records = []
        self.port, = free_ports(1)
        secret = base64.b64encode(b"a secret of the tests, 32 octets").decode()
        self.secret_file = self.folder / "secret"
        self.secret_file.write_text(secret + "\n")
        self.secret_file.chmod(0o640)
        shutil.chown(self.secret_file, "root", "certmgr")
        self.processes = [self._start(name, text, address, secret) for name, text, address in
                          (("primary", PRIMARY, "127.0.0.1"), ("secondary", SECONDARY, "127.0.0.2"))]

    def _start(self, name, text, address, secret):
        folder = self.folder / name
        folder.mkdir()
        (folder / "zone").write_text(RECORDS.format(zone=self.zone))
        configuration = folder / "knot.conf"
        configuration.write_text(text.format(address=address, port=self.port, folder=folder, zone=self.zone,
                                             secret=secret))
        process = Process(f"knot {name}", ["knotd", "-c", configuration], self.log)
        process.wait_until("it had its zone", lambda: " SOA " in self._control(name, "zone-read", self.zone))
        return process

    def _control(self, name, *command):
        return run(["knotc", "-s", self.folder / name / "knot.sock", *command], check=False).stdout

    def follow(self):
        """The secondary takes over what the primary has, and has it when this returns."""
        serial = self._serial("primary")
        self._control("secondary", "zone-refresh", self.zone)
        wait_until("the secondary to follow", lambda: self._serial("secondary") >= serial)

    def change(self, records):
        """The primary has these ("gw A 192.0.2.1"), and not those of the call before."""
        commands = [("zone-begin", self.zone), *(("zone-unset", self.zone, *owner) for owner in {tuple(record.split()[:2]) for record in self.records}),
                    *(("zone-set", self.zone, name, "60", kind, rest) for name, kind, rest in
                      (record.split(maxsplit=2) for record in records)), ("zone-commit", self.zone)]
        for command in commands:
            answer = self._control("primary", *command)
            if "error" in answer:
                raise BoxError(f"knotc {' '.join(command)}: {answer}")
        self.records = records

    def proofs(self):
        """The TXT records that the primary has."""
        return [line for line in self._control("primary", "zone-read", self.zone).splitlines() if " TXT " in line]

    def _serial(self, server):
        return int(self._control(server, "zone-read", self.zone, "@", "SOA").split(" SOA ")[1].split()[2])

    def stop(self):
        for process in self.processes:
            process.stop()
