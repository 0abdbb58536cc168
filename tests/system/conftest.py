"""One box for each test, or one for a module where starting it anew would prove nothing more."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

pytest.register_assert_rewrite("acme_faults")
from box import QUICK, Box, namespace  # noqa: E402  (the path above comes first)


@pytest.fixture(scope="session", autouse=True)
def private_namespace():
    """A loopback of its own: ports 80 and 443 are free, and nothing outside can be reached."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end like Ctrl-C, which ends the boxes too
    namespace.enter(network=True)


@pytest.fixture
def make_box():
    """Boxes that end with the test, however it ends."""
    boxes = []

    def make(**options):
        boxes.append(Box(**options))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


@pytest.fixture
def box(make_box):
    """A started gateway whose ACME server answers at once."""
    gateway = make_box(pebble_environment=QUICK)
    gateway.start()
    return gateway
