"""A TPM in software, and the key daemon that owns it."""

import shutil

from .process import Process


class SoftwareTpm:
    def __init__(self, folder):
        self.folder = folder / "tpm"
        self.folder.mkdir()
        shutil.chown(self.folder, "certmgr-keyd", "certmgr-keyd")
        self.socket = self.folder / "socket"
        self.tcti = f"swtpm:path={self.socket}"
        self.log = folder / "log/swtpm.log"
        self.start()

    def start(self):
        self.socket.unlink(missing_ok=True)  # of a run before
        self.process = Process(
            "swtpm", ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}",
                      "--server", f"type=unixio,path={self.socket}",
                      "--ctrl", f"type=unixio,path={self.socket}.ctrl",
                      "--flags", "not-need-init,startup-clear"],
            self.log, user="certmgr-keyd")
        self.process.wait_until("its socket was there", self.socket.exists)

    def stop(self):
        self.process.stop()


class KeyDaemon:
    def __init__(self, folder, program, tcti):
        self.folder = folder / "keys"
        self.folder.mkdir(mode=0o700)
        shutil.chown(self.folder, "certmgr-keyd", "certmgr-keyd")
        runtime = folder / "keyd"
        runtime.mkdir()
        shutil.chown(runtime, "certmgr-keyd", "certmgr-keyd")
        self.socket = runtime / "socket"
        self.program = program
        self.log = folder / "log/keyd.log"
        self.start(tcti)

    def start(self, tcti):
        self.process = Process(
            "certmgr-keyd", [self.program, "--socket", self.socket, "--directory", self.folder,
                             "--manager", "certmgr", "--installer", "root", "--tcti", tcti],
            self.log, user="certmgr-keyd")
        self.process.wait_until("its socket was there", self.socket.exists)

    def stop(self):
        self.process.stop()
        self.socket.unlink(missing_ok=True)
