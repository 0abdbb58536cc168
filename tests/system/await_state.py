"""What the tests wait for, said once."""

import contextlib
import sqlite3

from box import namespace
from box.process import BoxError, wait_until


def certificates_where(box, condition, what, names=namespace.NAMES, limit=60):
    """Waits until `condition(certificate)` is true for all names; returns the certificates by id."""

    def all_of_them():
        found = box.control.certificates()
        return all(name in found and condition(found[name]) for name in names)

    try:
        wait_until(what, all_of_them, limit)
    except TimeoutError as error:
        raise AssertionError(f"{error}; certmgrctl list says:\n{box.control.run('list').stdout}\n"
                             f"certmgrd logged last:\n{box.manager.process.last_lines(15)}") from None
    return box.control.certificates()


def proved(box, state, **options):
    return certificates_where(box, lambda it: it["State"] == state and it["Proof"] == "proved",
                              f"proved {state} certificate", **options)


def on_bus(box, limit=20):
    """After a start without READY=1 being awaited."""

    def answers():
        try:
            box.control.certificates()
        except BoxError:
            return False
        return True

    wait_until("answer of certmgrd on the bus", answers, limit)


def attempts_are_due(box):
    """The time until the next attempts has passed, and the daemon was restarted."""
    box.manager.stop()
    with contextlib.closing(sqlite3.connect(box.manager.state / "certmgr.db")) as database, database:
        assert database.execute("UPDATE certificates SET next_attempt = last_attempt WHERE failures > 0").rowcount
    box.manager.start()
