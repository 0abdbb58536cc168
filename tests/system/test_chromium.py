"""What the box issues for itself, as the strictest of browsers sees it: Chromium."""

import pytest
from box import PROXIED, WEB_INTERFACE, Box
from box.process import run, wait_until


class Browser:
    """Headless, with a profile of its own; it believes its own list of roots, and those that its user adds."""

    def __init__(self, folder):
        self.home = folder
        self.database = f"sql:{folder}/.pki/nssdb"
        (folder / ".pki/nssdb").mkdir(parents=True)
        run(["certutil", "-d", self.database, "-N", "--empty-password"])

    def trust(self, root_pem):
        (self.home / "root.pem").write_text(root_pem)
        run(["certutil", "-d", self.database, "-A", "-n", "box", "-t", "C,,", "-i", self.home / "root.pem"])

    def open(self, url):
        """The page, or that of the error."""
        return run(["env", f"HOME={self.home}", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                    "--disable-dev-shm-usage", "--no-proxy-server", "--disable-background-networking",
                    f"--user-data-dir={self.home}/profile", "--host-resolver-rules=MAP * 127.0.0.1", "--dump-dom", url]).stdout


@pytest.fixture(scope="module")
def box():
    with Box(ca=None) as gateway:
        gateway.start()
        yield gateway


@pytest.fixture
def browser(tmp_path):
    return Browser(tmp_path)


def shows(page, name):
    return name in page and "ERR_" not in page


def test_it_believes_nobody_unasked(box, browser):
    assert "ERR_CERT_AUTHORITY_INVALID" in browser.open(f"https://{WEB_INTERFACE}:{box.port}/")


def test_it_accepts_what_the_box_issues_also_under_a_root_that_it_does_not_know_yet(box, browser):
    browser.trust(box.control.run("authority", "download").stdout)
    for name in (WEB_INTERFACE, *PROXIED):
        assert shows(browser.open(f"https://{name}:{box.port}/"), name)
    before = box.look_locally(WEB_INTERFACE).leaf
    box.control.run("authority", "reissue")
    wait_until("a leaf below the new root", lambda: box.look_locally(WEB_INTERFACE).leaf != before)
    assert shows(browser.open(f"https://{WEB_INTERFACE}:{box.port}/"), WEB_INTERFACE)
