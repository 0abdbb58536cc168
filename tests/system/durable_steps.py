"""certmgrd under strace, killed right after its Nth durable step."""

import os
import re
import signal
import threading

# The tracee is held this long after each step, so that the kill lands between it and whatever would come next.
HOLD_MICROSECONDS = 30_000
STEP = re.compile(r"^(\d+) +(fsync|fdatasync|rename|renameat|renameat2)\(")


class KilledAfterStep:
    """`arm()` starts to count; at the Nth step from then the daemon gets SIGKILL. `killed` says whether it came to that."""

    def __init__(self, box, step):
        self.step = step
        self.killed = False
        self.armed = False
        self.counted = 0
        self.fifo = box.folder / "strace"
        self.fifo.unlink(missing_ok=True)
        os.mkfifo(self.fifo)
        self.fifo.chmod(0o666)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        # strace, like any tracer, needs no privilege beyond its child's.
        self.wrapper = ["/usr/bin/strace", "-f", "-qq", "-e", "signal=none",
                        "-e", "trace=fsync,fdatasync,rename,renameat,renameat2",
                        "-e", f"inject=fsync,fdatasync,rename,renameat,renameat2:delay_exit={HOLD_MICROSECONDS}",
                        "-o", str(self.fifo)]

    def arm(self):
        self.armed = True

    def _read(self):
        with open(self.fifo, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                match = STEP.match(line)
                if not match or not self.armed or self.killed:
                    continue
                self.counted += 1
                if self.counted == self.step:
                    self.killed = True
                    os.kill(int(match.group(1)), signal.SIGKILL)

    def join(self):
        """After the daemon's end."""
        self.thread.join()

    def end(self, manager):
        """An orderly end: to the daemon itself, since strace would end before it."""
        tracer = manager.process.pid
        with open(f"/proc/{tracer}/task/{tracer}/children", encoding="utf-8") as children:
            os.kill(int(children.read().split()[0]), signal.SIGTERM)
        manager.process.child.wait(20)
        self.join()
