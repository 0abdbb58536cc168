"""What is asked of every service, whatever it speaks; test_*.py name the service and what is particular to it."""

import pytest
from box import Box

pytest.register_assert_rewrite("service_suite")
from service_suite import Client  # noqa: E402  (its assertions show what they compared)


@pytest.fixture(scope="module")
def gateway():
    """A box without sites and without a CA: certificates are its own, and so are there at once."""
    with Box(ca=None, sites=False) as box:
        yield box


@pytest.fixture
def daemon(service):
    """The service, up and proved whatever the test before did to it."""
    service.repair()
    if not service.process:
        service.start()
    Client(service).prove()
    return service
