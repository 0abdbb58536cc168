"""Alarms on the whole box: each comes once and ends once, and everybody who should be told is."""

import re

from await_state import proved
from box import QUICK, WEB_INTERFACE, namespace
from box.process import wait_until

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? ([0-9]+)')


class Mailbox:
    """A program for alarms that keeps what it is told, and the file of metrics."""

    def __init__(self, box):
        self.folder = box.folder / "alarms"
        self.folder.mkdir()
        self.folder.chmod(0o777)  # for the user that certmgrd runs as
        self.told, self.metrics_file = self.folder / "told", self.folder / "certmgr.prom"
        program = self.folder / "mail"
        program.write_text('#!/bin/sh\n[ "$1" = "to admin" ] || exit 1\n'
                           f'sed "s/^/$CERTMGR_ALARMS $CERTMGR_CLEARED $CERTMGR_SEVERITY /" >> {self.told}\n')
        program.chmod(0o755)
        box.manager.set("alarms", failures=1, metrics_file=str(self.metrics_file), program=[str(program), "to admin"])

    def lines(self):
        return self.told.read_text().splitlines() if self.told.exists() else []

    def count(self, words):
        return sum(words in line for line in self.lines())

    def metrics(self):
        """Family -> labels -> value; each family has its HELP and TYPE before it."""
        families, current = {}, None
        for line in self.metrics_file.read_text().splitlines():
            if line.startswith("# HELP "):
                current = line.split()[2]
                assert current not in families, "a family stands in one place"
                families[current] = {}
            elif line.startswith("# TYPE "):
                assert line == f"# TYPE {current} gauge"
            else:
                name, labels, value = SAMPLE.fullmatch(line).groups()
                assert name == current
                families[current][labels or ""] = int(value)
        return families


def failing(mailbox):
    return mailbox.metrics()["certmgr_alarms"]['kind="failing",severity="warning"']


def test_a_ca_that_is_down_is_an_alarm_for_each_name_until_it_is_back(make_box):
    box = make_box(pebble_environment=QUICK, check=False)
    mailbox = Mailbox(box)
    box.ca.stop_answering()
    box.start()
    names = len(namespace.NAMES)
    wait_until("an alarm for each name", lambda: mailbox.count(": ") == names)
    assert all(re.match(r"[1-9] 0 warning WARNING failing \S+: a better certificate", line) for line in mailbox.lines())
    status = box.visitor.run("status", check=False)
    assert status.returncode == 1
    assert status.stdout.startswith(f"CERTMGR WARNING - {names} certificates, {names} alarms, failing ")
    assert len(status.stdout.splitlines()) == 1 + names
    wait_until("the metrics say so", lambda: mailbox.metrics_file.exists() and failing(mailbox) == names)
    metrics = mailbox.metrics()
    assert metrics["certmgr_clock_trusted"][""] == 1
    end = metrics["certmgr_certificate_not_after_timestamp_seconds"][f'certificate="{WEB_INTERFACE}"']
    assert end == box.control.certificates()[WEB_INTERFACE]["NotAfter"]

    box.manager.restart()
    assert box.control.run("status", check=False).returncode == 1, "known from the first moment"
    box.ca.start()
    for name in namespace.NAMES:
        box.control.run("reissue", name)
    proved(box, "acme")
    wait_until("an end for each name", lambda: mailbox.count("CLEARED failing ") == names)
    assert mailbox.count("WARNING failing ") == names, "none came twice, across the restart either"
    assert len(mailbox.lines()) == 2 * names, mailbox.lines()
    assert box.control.run("status").stdout.startswith(f"CERTMGR OK - {names} certificates, no alarm | ")
    wait_until("the metrics say so", lambda: failing(mailbox) == 0, 40)
    log = box.manager.log.read_text()
    assert log.count("6f1c3c2f5a4b4b0fa2f7b1d0c93a7e40") == names
    assert log.count("6f1c3c2f5a4b4b0fa2f7b1d0c93a7e41") == names
    assert not list(mailbox.folder.glob("*.new"))


def test_a_program_that_hangs_holds_up_nothing(make_box):
    box = make_box(pebble_environment=QUICK, check=False)
    box.manager.set("alarms", failures=1, program=["/bin/sleep", "1000"], program_seconds=1)
    box.ca.stop_answering()
    box.start()
    wait_until("that it is said to have been killed",
               lambda: "/bin/sleep 1000 did not end in time and was killed" in box.manager.log.read_text())
    assert box.control.run("status", check=False).returncode == 1
    box.ca.start()
    box.control.run("reissue", WEB_INTERFACE)
    proved(box, "acme", names=[WEB_INTERFACE])
