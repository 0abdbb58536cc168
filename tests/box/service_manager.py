"""org.freedesktop.systemd1 on the box's bus, as far as certmgrd asks it: run by ServiceManager in systemd.py.

Like the real one it asks polkit, by the rules that rootfs/ ships, and runs as root what the unit says.
"""
import os
import pathlib
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.systemd1"
MANAGER = f"{NAME}.Manager"
INACTIVE = 3  # systemctl(1), and the status of a unit's "reload" here that finds nothing running


class Manager(dbus.service.Object):
    def __init__(self, bus, units):
        super().__init__(bus, "/org/freedesktop/systemd1")
        self.bus, self.units, self.jobs = bus, units, 0
        self.polkit = dbus.Interface(bus.get_object("org.freedesktop.PolicyKit1",
                                                    "/org/freedesktop/PolicyKit1/Authority"),
                                     "org.freedesktop.PolicyKit1.Authority")

    @dbus.service.method(MANAGER)
    def Subscribe(self):
        pass

    @dbus.service.method(MANAGER, in_signature="as", out_signature="a(ssssssouso)")
    def ListUnitsByNames(self, names):
        """Whether one runs is found out by its "reload"."""
        return [(name, "", "loaded", "active", "", "", "/", dbus.UInt32(0), "", "/") for name in names]

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o", sender_keyword="sender")
    def ReloadUnit(self, unit, _mode, sender=None):
        return self.run(unit, "reload", sender)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o", sender_keyword="sender")
    def StartUnit(self, unit, _mode, sender=None):
        return self.run(unit, "start", sender)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o", sender_keyword="sender")
    def ReloadOrRestartUnit(self, unit, _mode, sender=None):
        return self.run(unit, "reload-or-restart", sender)

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o", sender_keyword="sender")
    def StopUnit(self, unit, _mode, sender=None):
        return self.run(unit, "stop", sender)

    @dbus.service.signal(MANAGER, signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass

    def run(self, unit, verb, sender):
        allowed, _, _ = self.polkit.CheckAuthorization(
            ("system-bus-name", {"name": dbus.String(sender, variant_level=1)}), f"{NAME}.manage-units",
            {"unit": unit, "verb": verb}, dbus.UInt32(0), "")
        if not allowed:
            raise dbus.DBusException(f"polkit does not allow {verb} of {unit}",
                                     name="org.freedesktop.DBus.Error.AccessDenied")
        stem, at, rest = unit.partition("@")
        command = self.units / unit / verb
        if at and not command.exists():
            command = self.units / f"{stem}@.service" / verb
        if not command.exists():
            raise dbus.DBusException(f"Unit {unit} not found.", name=f"{NAME}.NoSuchUnit")
        self.jobs += 1
        job = dbus.ObjectPath(f"/org/freedesktop/systemd1/job/{self.jobs}")
        # Not by subprocess, which collects the statuses of children itself.
        child = os.posix_spawn(command, [command, rest.removesuffix(".service")], os.environ)
        GLib.child_watch_add(GLib.PRIORITY_DEFAULT, child, self.ended, (self.jobs, job, unit))
        return job

    def ended(self, _pid, status, job):
        self.JobRemoved(*job, {0: "done", INACTIVE: "invalid"}.get(os.waitstatus_to_exitcode(status), "failed"))


def main():
    address, units = sys.argv[1:]
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(address)
    manager = Manager(bus, pathlib.Path(units))
    name = dbus.service.BusName(NAME, bus, do_not_queue=True)
    GLib.MainLoop().run()
    del manager, name


if __name__ == "__main__":
    main()
