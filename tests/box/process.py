"""Programs that live as long as the box: started, awaited, ended with it."""

import errno
import itertools
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time


class BoxError(Exception):
    """What went wrong, as a sentence for people."""


class Process:
    """A child with a log file of its own; the kernel ends it too where we are killed."""

    def __init__(self, name, argv, log, user=None, environment=None, ambient=()):
        self.name = name
        self.log = pathlib.Path(log)
        program = find_program(argv[0])
        prefix = [find_program("setpriv"), "--pdeathsig", "TERM"]
        if user:
            prefix += ["--reuid", user, "--regid", user, "--init-groups", "--no-new-privs"]
        for capability in ambient:
            prefix += ["--inh-caps", f"+{capability}", "--ambient-caps", f"+{capability}"]
        with open(self.log, "ab") as output:
            # A session of its own: Ctrl-C on the terminal is for us alone, and we end the children in order.
            self.child = subprocess.Popen(
                prefix + ["--", program, *map(str, argv[1:])],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def kill(self, number=signal.SIGKILL):
        if self.running():
            self.child.send_signal(number)

    def stop(self, patience=10):
        """SIGTERM; returns the exit status, after `patience` seconds that of SIGKILL."""
        self.kill(signal.SIGTERM)
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.child.wait()

    def last_lines(self, count=5):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def wait_until(self, what, ready, limit=20):
        """Polls `ready`; says what the process wrote last where it ended or took too long."""

        def ready_or_dead():
            if ready():
                return True
            if not self.running():
                raise BoxError(f"{self.name} ended with status {self.child.returncode} before {what}:\n"
                               f"{self.last_lines()}")
            return False

        try:
            wait_until(what, ready_or_dead, limit)
        except TimeoutError as error:
            raise BoxError(f"{self.name}: {error}:\n{self.last_lines()}") from None


def find_program(name):
    found = shutil.which(str(name), path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise BoxError(f"the program {name} is missing; run scripts/setup, it installs what is needed")
    return found


def run(argv, limit=60, check=True, **options):
    """A command to its end; its output as text. Where `check`, a status other than 0 is a BoxError."""
    result = subprocess.run([find_program(argv[0]), *map(str, argv[1:])], text=True, errors="replace",
                            stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=limit, check=False, **options)
    if check and result.returncode != 0:
        raise BoxError(f"{' '.join(map(str, argv))} ended with status {result.returncode}:\n{result.stdout}")
    return result


def wait_until(what, ready, limit=20, interval=0.02):
    deadline = time.monotonic() + limit
    while not ready():
        if time.monotonic() >= deadline:
            raise TimeoutError(f"no {what} within {limit} s")
        time.sleep(interval)


def port_open(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# None of those that the kernel gives to outgoing connections: such a connection could have it before the server that
# it is meant for. And none twice in a process: what was handed out may not be bound yet.
PORTS = itertools.cycle(random.sample(range(10000, 32768), 32768 - 10000))


def free_ports(count):
    return list(itertools.islice(filter(may_be_bound, PORTS), count))


def may_be_bound(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        return True
