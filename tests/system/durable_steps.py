"""certmgrd under strace, killed right after its Nth durable step, or with all that was not durable lost."""

import os
import pathlib
import re
import shutil
import signal
import stat
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
        self.wrapper = ["/usr/bin/strace", "-f", "-y", "-qq", "-e", "signal=none",
                        "-e", "trace=fsync,fdatasync,rename,renameat,renameat2",
                        "-e", f"inject=fsync,fdatasync,rename,renameat,renameat2:delay_exit={HOLD_MICROSECONDS}",
                        "-o", str(self.fifo)]

    def arm(self):
        self.armed = True

    def _read(self):
        with open(self.fifo, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if self.armed and not self.killed:
                    self._look(line)

    def _look(self, line):
        if match := STEP.match(line):
            self._count(int(match.group(1)))

    def _count(self, pid):
        self.counted += 1
        if self.counted == self.step:
            self.killed = True
            os.kill(pid, signal.SIGKILL)

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


SYNCHRONISED = re.compile(r"^(\d+) +(?:fsync|fdatasync)\(\d+<([^>]*)>(.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>.* = 0")


class PowerCutAfterStep(KilledAfterStep):
    """`restore()` leaves of the state what a loss of power at the Nth step leaves at worst: of each file and of each
    directory what it was when it was synchronised last. Only that counts as a step."""

    def __init__(self, box, step):
        self.state = box.manager.state
        self.files, self.folders, self.begun = {}, {}, {}  # by inode; by thread
        super().__init__(box, step)

    def arm(self):
        for folder, _, files in os.walk(self.state):
            for path in (folder, *(os.path.join(folder, file) for file in files)):
                self._keep(pathlib.Path(path))
        super().arm()

    def _look(self, line):
        if match := SYNCHRONISED.match(line):
            if match.group(3).endswith("<unfinished ...>"):
                self.begun[match.group(1)] = match.group(2)
            elif " = 0" in match.group(3):
                self._step(match.group(1), match.group(2))
        elif (match := RESUMED.match(line)) and match.group(1) in self.begun:
            self._step(match.group(1), self.begun.pop(match.group(1)))

    def _step(self, pid, path):
        self._keep(pathlib.Path(path))
        self._count(int(pid))

    def _keep(self, path):
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                self.folders[status.st_ino] = {entry.name: (entry.lstat(), os.readlink(entry) if entry.is_symlink() else None)
                                               for entry in path.iterdir()}
            elif stat.S_ISREG(status.st_mode):
                self.files[status.st_ino] = path.read_bytes()
        except FileNotFoundError:
            pass  # removed since, so that nothing of it is left

    def restore(self):
        root = self.state.lstat().st_ino
        for entry in self.state.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        self._lay(self.state, root)

    def _lay(self, folder, inode):
        for name, (status, target) in self.folders.get(inode, {}).items():
            path = folder / name
            if target is not None:
                path.symlink_to(target)
            elif stat.S_ISDIR(status.st_mode):
                path.mkdir()
                self._lay(path, status.st_ino)
            elif stat.S_ISREG(status.st_mode):
                path.write_bytes(self.files.get(status.st_ino, b""))
            else:
                continue  # sockets
            os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)
            if target is None:
                path.chmod(stat.S_IMODE(status.st_mode))
