"""One client of one service, and the faults that each service must survive."""

import collections

from await_state import certificates_where, proved
from box.meanwhile import Meanwhile
from box.process import wait_until


class Client:
    """Manager's and client's view of a service."""

    def __init__(self, service):
        self.service, self.box = service, service.box
        self.name = service.names[0]

    def state(self):
        listed, = (it for it in self.box.control.json("service", "list") if it["Name"] == self.service.service)
        return listed["Deployments"][0]

    def prove(self):
        self.box.control.run("service", "check", self.service.service, check=False)
        if self.state()["State"] != "proved":
            self.reissue()
        return proved(self.box, "local", names=[self.name], limit=60)

    def reissue(self):
        self.box.control.run("reissue", self.name, check=False)

    def await_proof(self, *proofs):
        certificates_where(self.box, lambda it: it["Proof"] in proofs, " or ".join(proofs), names=[self.name], limit=60)
        return self.state()["Reason"]

    def trust(self):
        return self.box.control.run("authority", "download").stdout

    def clients(self):
        """Called, it says which leaf one client that trusts the box's root is shown, as PEM."""
        return self.service.clients(self.trust())

    def served(self):
        return self.clients()()


class Crowd(Meanwhile):
    """Clients that come all the while; what they were shown, and every one that was sent away."""

    def __init__(self, clients, size=2):
        super().__init__(*[self._come] * size)
        self.clients = clients
        self.leaves, self.errors = collections.Counter(), []

    def _come(self):
        while not self.stopping.is_set():
            try:
                self.leaves[self.clients()] += 1
            except OSError as error:
                self.errors.append(repr(error))


class ServiceSuite:
    """Test classes derive from this; the module's fixture `service` is the daemon."""

    drops = False    # whether the daemon cannot change its certificate without turning a client away

    def test_is_served_with_the_key_in_its_place(self, daemon):
        client = Client(daemon)
        certificate = client.prove()[client.name]
        assert certificate["KeyBackend"] == ("tpm" if daemon.by_reference else "file"), certificate["KeyReason"]
        if not daemon.by_reference:
            assert daemon.service in certificate["KeyReason"], "the table says for whom it is a file"
        assert client.served()

    def test_a_change_under_clients(self, daemon):
        client = Client(daemon)
        before = client.served()
        with Crowd(client.clients()) as crowd:
            wait_until("a client before the change", lambda: crowd.leaves)
            client.reissue()
            client.await_proof("proved")
            after = client.served()
            wait_until("a client after the change", lambda: crowd.leaves[after])
        assert after != before
        assert set(crowd.leaves) <= {before, after}
        if not self.drops:
            assert crowd.errors == []

    def test_a_reload_that_is_refused_rolls_back(self, daemon):
        client = Client(daemon)
        before = client.served()
        daemon.set_reload("exit 1")
        client.reissue()
        reason = client.await_proof("rolled-back")
        assert daemon.told_by in reason and "failed" in reason, reason
        assert client.served() == before

    def test_a_reload_that_is_ignored_rolls_back(self, daemon):
        client = Client(daemon)
        before = client.served()
        daemon.set_reload("exit 0")
        client.reissue()
        assert "expected" in client.await_proof("rolled-back")
        assert client.served() == before

    def test_down_it_waits_and_is_proved_at_its_start(self, daemon):
        client = Client(daemon)
        before = client.served()
        daemon.stop()
        client.reissue()
        assert "lies ready" in client.await_proof("waiting")
        daemon.start()
        client.await_proof("proved")
        assert client.served() != before

    def test_without_rights_it_is_not_proved(self, daemon):
        """Of its user to sign, which a changed profile takes away from the present key too; or to write its key file."""
        client = Client(daemon)
        before = client.served()
        wrong = {"users": ["visitor"]} if daemon.by_reference else {"install": {"owner": "nobody-knows"}}
        manager = daemon.box.manager
        manager.drop_in(daemon.service, "20-rights", **wrong)
        manager.restart()
        client.reissue()
        client.await_proof("rolled-back", "failed")
        if not daemon.by_reference:
            assert client.served() == before
        manager.drop_in(daemon.service, "20-rights")
        manager.restart()
        client.prove()
        assert client.served() != before

    def test_a_key_file_has_the_least_rights(self, daemon):
        secrets = [file for file in daemon.box.manager.installed.rglob("*") if file.is_file()
                   and "PRIVATE KEY" in file.read_text()] if daemon.box.manager.installed.exists() else []
        assert bool(secrets) != daemon.by_reference
        for file in secrets:
            status = file.stat()
            assert status.st_mode & 0o137 == 0, f"{file} is open to others"
            assert (file.owner(), file.group()) == daemon.key_owner
