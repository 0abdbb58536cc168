"""A private system bus with the real polkitd, by the files that rootfs/ ships."""

from .namespace import ROOTFS
from .process import Process, run

# The default-deny rules of the system bus (system.conf of dbus 1.14) at an address of our own.
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
    <deny send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"
          send_member="UpdateActivationEnvironment"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <!-- As in systemd's own policy: everyone may ask, and polkit answers. -->
  <policy user="root"><allow own="org.freedesktop.systemd1"/></policy>
  <policy context="default"><allow send_destination="org.freedesktop.systemd1"/></policy>
  <includedir>{policies}</includedir>
</busconfig>
"""


class PrivateBus:
    def __init__(self, folder):
        self.folder = folder
        self.socket = folder / "bus"
        self.address = f"unix:path={self.socket}"
        self.configuration = folder / "bus.conf"
        self.configuration.write_text(CONFIGURATION.format(socket=self.socket,
                                                           policies=ROOTFS / "usr/share/dbus-1/system.d"))
        self.start()

    def start(self):
        self.socket.unlink(missing_ok=True)
        environment = {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.daemon = Process("dbus-daemon", ["dbus-daemon", f"--config-file={self.configuration}", "--nofork",
                                              "--nopidfile"], self.folder / "log/dbus-daemon.log")
        self.daemon.wait_until("its socket was there", self.socket.exists)
        self.polkit = Process("polkitd", ["/usr/lib/polkit-1/polkitd"], self.folder / "log/polkitd.log",
                              environment=environment)
        self.polkit.wait_until("it was on the bus", lambda: self.has("org.freedesktop.PolicyKit1"))

    def has(self, name):
        answer = run(["dbus-send", f"--bus={self.address}", "--print-reply=literal",
                      "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", f"string:{name}"],
                     check=False)
        return "boolean true" in answer.stdout

    def stop(self):
        self.polkit.stop()
        self.daemon.stop()
