"""certmgr at work: asked over the bus, and followed in its log."""

import contextlib
import re

import dbus.bus


def certmgr_processes(box):
    return [box.manager.process.pid, box.keyd.process.pid]


# What is measured is followed in the log: to ask the daemon would be charged to it.
def lines(box, pattern):
    return len(re.findall(pattern, box.manager.log.read_text(errors="replace")))


def object_path(certificate):
    """As sd_bus_path_encode(3) makes it."""
    return dbus.ObjectPath("/org/certmgr1/certificate/" +
                           re.sub("[^A-Za-z0-9]", lambda it: f"_{ord(it[0]):02x}", certificate))


@contextlib.contextmanager
def bus_at(address):
    bus = dbus.bus.BusConnection(address)
    try:
        yield bus
    finally:
        bus.close()


def manager_on(bus):
    return dbus.Interface(bus.get_object("org.certmgr1", "/org/certmgr1", introspect=False), "org.certmgr1.Manager")
