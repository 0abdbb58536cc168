"""What a program cost: wall time, CPU and memory, of children and of daemons that were there before."""

import dataclasses
import os
import subprocess
import tempfile
import time

from box.process import BoxError, find_program

TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Cost:
    wall: float = 0.0       # seconds
    cpu: float = 0.0        # seconds, user and system
    peak_memory: int = 0    # bytes of the largest process

    def __add__(self, other):
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak_memory, other.peak_memory))


def run_measured(argv, environment=None, log=os.devnull):
    """One command with all its descendants that it waited for."""
    start = time.monotonic()
    with open(log, "ab") as output, tempfile.NamedTemporaryFile() as memory:
        # time(1) asks for the memory: seen from here it would never be below Python's own, which the child starts as.
        child = subprocess.Popen(["/usr/bin/time", "-f", "%M", "-o", memory.name, find_program(argv[0]),
                                  *map(str, argv[1:])], stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        peak = int(memory.read().split()[-1]) * 1024
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise BoxError(f"{' '.join(map(str, argv))} ended with status {child.returncode}, see {log}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak)


def cpu_of(pids):
    """Seconds that processes and the children they waited for have used up to now."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime: proc(5)
    return total / TICKS


def cpu_of_machine():
    """Seconds in which its cores have had work, and those in which they have had none, since it began."""
    with open("/proc/stat", encoding="utf-8") as stat:
        user, nice, system, idle, waiting, irq, softirq = (int(field) / TICKS for field in stat.readline().split()[1:8])
    return user + nice + system + irq + softirq, idle + waiting


def memory_of(pid, what):
    """VmRSS or VmHWM, bytes."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
    raise BoxError(f"/proc/{pid}/status has no {what}")
