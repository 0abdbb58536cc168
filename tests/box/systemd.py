"""What systemd is to certmgrd: somebody who may reload services and start root's oneshot units, if polkit agrees."""

import pathlib

from .process import Process


class ServiceManager:
    def __init__(self, folder, bus):
        self.units = folder / "units"
        self.units.mkdir()
        self.process = Process("service manager", [
            "/usr/bin/python3", pathlib.Path(__file__).with_name("service_manager.py"), bus.address, self.units],
            folder / "log/service-manager.log")
        self.process.wait_until("it was on the bus", lambda: bus.has("org.freedesktop.systemd1"))

    def unit(self, name, **verbs):
        """`reload` and `start`: lines of shell, run as root; an instance's name is $1. Empty: no more.
        An instance goes before its template."""
        folder = self.units / name
        folder.mkdir(exist_ok=True)
        for verb, script in verbs.items():
            file = folder / verb
            file.unlink(missing_ok=True)  # the old one may be running
            if script:
                file.write_text(f"#!/bin/sh\n{script}\n")
                file.chmod(0o755)

    def stop(self):
        self.process.stop()
