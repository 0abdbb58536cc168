"""The gateway on loopback, live: a name is asked for, served at once, and proved with its ACME certificate."""

import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))

# pylint: disable-next=wrong-import-position
from box import PROXIED, WEB_INTERFACE, Box, BoxError, namespace  # noqa: E402

NAMES = (WEB_INTERFACE, *PROXIED)
PATIENCE = 120  # seconds for all names to be served with ACME certificates
BOLD, DIM, GREEN, RED, PLAIN = ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() \
    else ("",) * 5


def say(text=""):
    print(text, flush=True)


def since(start):
    return f"{time.monotonic() - start:5.1f} s"


class Table:
    """Prints the certificates whenever one of them changed its state, key or proof."""

    COLUMNS = (("name", 18), ("certificate", 12), ("key", 8), ("proof", 14), ("issuer", 0))

    def __init__(self, start):
        self.start = start
        self.shown = None

    def show(self, certificates):
        rows = [self._row(certificates[name]) for name in NAMES if name in certificates]
        if rows == self.shown or not rows:
            return
        self.shown = rows
        say(f"\n{DIM}{since(self.start)}{PLAIN}  " + self._line([f"{name:{width}}" for name, width in self.COLUMNS]))
        for row in rows:
            colour = GREEN if row[1] == "acme" and row[3] == "proved" else ""
            say("         " + colour + self._line([f"{cell:{width}}" for cell, (_, width)
                                                   in zip(row, self.COLUMNS)]) + PLAIN)

    @staticmethod
    def _row(certificate):
        issuer = dict(part.partition("=")[::2] for part in certificate["Issuer"].split(",")).get("CN", "")
        return [certificate["Names"][0], certificate["State"], certificate["KeyBackend"], certificate["Proof"], issuer]

    @staticmethod
    def _line(cells):
        return "  ".join(cells).rstrip()


def finished(certificates):
    return all(name in certificates and certificates[name]["State"] == "acme"
               and certificates[name]["Proof"] == "proved" for name in NAMES)


def watch(box, start):
    """Until every name has its ACME certificate; False where that takes too long."""
    table = Table(start)
    while time.monotonic() - start < PATIENCE:
        certificates = box.control.certificates()
        table.show(certificates)
        if finished(certificates):
            return True
        time.sleep(0.2)
    for name, certificate in certificates.items():
        say(f"{RED}{name}: {certificate['LastError'] or certificate['Activity'] or certificate['Reason']}{PLAIN}")
    return False


def prove(box):
    """What openssl s_client sees, beside certmgr's own word for it."""
    say(f"\n{BOLD}An independent client (openssl s_client, trusting the ACME server's root only):{PLAIN}")
    proved = True
    for name in NAMES:
        seen = box.look(name)
        proved = proved and seen.verified
        verdict = f"{GREEN}verified{PLAIN}" if seen.verified else f"{RED}NOT verified{PLAIN}"
        say(f"  https://{name}:{box.port}   {verdict}, chain of {len(seen.chain)}, issued by {seen.issuer}")
    return proved


def explain(box):
    control = box.control.program
    say(f"""
{BOLD}Look further{PLAIN}, in another terminal (as root):
  export DBUS_SYSTEM_BUS_ADDRESS={box.bus.address}
  {control} list
  {control} show {WEB_INTERFACE}
  {control} reissue {PROXIED[0]}
  {control} watch
  curl --cacert {box.folder}/acme-root.pem --resolve {WEB_INTERFACE}:{box.port}:127.0.0.1 https://{WEB_INTERFACE}:{box.port}/
Logs, configuration and state lie in {box.folder}

Ctrl-C ends everything and leaves nothing behind.""")


def wait_for_end(box):
    while True:
        for part in (box.manager.process, box.nginx.process, box.keyd.process):
            if not part.running():
                raise BoxError(f"{part.name} ended with status {part.child.returncode}:\n{part.last_lines()}")
        time.sleep(0.5)


def demonstrate(once):
    start = time.monotonic()
    say(f"{BOLD}Starting a gateway on loopback{PLAIN}: system bus, polkit, TPM (swtpm), key daemon, ACME server (Pebble), "
        "nginx, certmgrd")
    # Validation sleeps up to 5 s, so that the local certificates can be seen at work before the ACME ones come.
    with Box(pebble_environment={"PEBBLE_VA_SLEEPTIME": "5"}) as box:
        box.start()
        say(f"{DIM}{since(start)}{PLAIN}  up; certmgrd (unprivileged) has 3 names to care for")
        proved = watch(box, start) and prove(box)
        if not once:
            explain(box)
            wait_for_end(box)
        say(f"\n{GREEN}All {len(NAMES)} names are served with proved ACME certificates.{PLAIN}" if proved else
            f"\n{RED}Not all names are served with proved ACME certificates.{PLAIN}")
        return proved


def main():
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the proofs; status 0 where all names are proved")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end like Ctrl-C, which cleans up
    try:
        namespace.enter()
        return 0 if demonstrate(arguments.once) else 1
    except BoxError as error:
        print(f"scripts/run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nended")
        return 0 if not arguments.once else 130


if __name__ == "__main__":
    sys.exit(main())
