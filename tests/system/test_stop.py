"""certmgrd ends soon when it is told to, whatever it waits for, and goes on at its next start."""

import json
import signal
import socket

import pytest
from await_state import proved
from box import namespace
from box.process import free_ports, wait_until

PROFILE = """names = ["slow.example.com"]
reload_command = {reload}
[probe]
port = {port}
timeout_seconds = 3600
"""


class Slow:
    """A service that says nothing, or that is down: its proof would last for an hour."""

    def __init__(self, box, listens):
        self.reloaded = box.folder / "slow-was-reloaded"
        script = box.folder / "slow-reload"
        script.write_text(f"#!/bin/sh\nexec touch {self.reloaded}\n")
        script.chmod(0o755)
        box.folder.chmod(0o777)  # for the mark
        self.listener = socket.create_server(("127.0.0.1", 0)) if listens else None
        port = self.listener.getsockname()[1] if listens else free_ports(1)[0]
        self.profile = box.manager.services / "slow.toml"
        self.profile.write_text(PROFILE.format(reload=json.dumps([str(script)]), port=port))

    def await_proof(self):
        if self.listener:
            self.listener.settimeout(20)
            self.connection, _ = self.listener.accept()  # and never an answer
        else:
            wait_until("reload, after which the proof begins", self.reloaded.exists)


@pytest.mark.parametrize("listens", [True, False], ids=["says nothing", "is down"])
def test_a_stop_does_not_wait_for_a_service_that(make_box, listens):
    box = make_box(ca=None)
    slow = Slow(box, listens)
    box.manager.launch()
    slow.await_proof()
    assert box.manager.stop() == 0, "it ends by itself, before it would have to be killed"
    slow.profile.unlink()
    box.start()
    proved(box, "local")


def test_without_the_system_bus_it_ends_with_a_status_that_restarts_it(box):
    proved(box, "acme")
    box.bus.daemon.kill(signal.SIGKILL)
    wait_until("end of certmgrd", lambda: not box.manager.process.running())
    assert box.manager.process.child.returncode == 1, "Restart=on-failure"
    assert "the connection to the system bus was lost" in box.manager.process.last_lines()
    assert all(box.look(name).verified for name in namespace.NAMES), "the services are not concerned"
    box.bus.stop()
    box.bus.start()
    box.manager.start()
    proved(box, "acme")
