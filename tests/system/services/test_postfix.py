"""postfix: SMTP and submission with STARTTLS, submissions with TLS from the first byte."""

import pytest
from box.mail import Postfix
from service_suite import ServiceSuite


@pytest.fixture(scope="module")
def service(gateway):
    postfix = Postfix(gateway)
    gateway.manager.start()
    return postfix


class TestPostfix(ServiceSuite):
    pass
