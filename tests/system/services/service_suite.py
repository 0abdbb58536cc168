"""One client of one service, and the faults that each service must survive."""

import collections
import ssl
import threading

from await_state import certificates_where, proved


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
        return proved(self.box, "local", names=[self.name])

    def reissue(self):
        self.box.control.run("reissue", self.name, check=False)

    def await_proof(self, proof):
        certificates_where(self.box, lambda it: it["Proof"] == proof, proof, names=[self.name], limit=30)
        return self.state()["Reason"]

    def context(self):
        return ssl.create_default_context(cadata=self.box.control.run("authority", "download").stdout)

    def served(self):
        """SHA-256 of the leaf that a client which trusts the box's root is shown."""
        with self.service.connect(self.context()) as connection:
            return fingerprint(connection)


def fingerprint(connection):
    return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


class Crowd:
    """Clients that come all the while; what they were shown, and every one that was sent away."""

    def __init__(self, service, context, size=2):
        self.service, self.context = service, context
        self.leaves, self.errors = collections.Counter(), []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._come) for _ in range(size)]

    def _come(self):
        while not self.stopping.is_set():
            try:
                with self.service.connect(self.context) as connection:
                    self.leaves[fingerprint(connection)] += 1
            except OSError as error:
                self.errors.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class ServiceSuite:
    """Test classes derive from this; the module's fixture `service` is the daemon."""

    drops = False    # whether the daemon cannot change its certificate without turning a client away
    users = True     # whether it signs by reference, so that keyd must know its user

    def test_is_served_with_the_key_in_its_place(self, daemon):
        client = Client(daemon)
        certificate = client.prove()[client.name]
        assert certificate["KeyBackend"] == ("tpm" if self.users else "file"), certificate["KeyReason"]
        assert client.served()

    def test_a_change_under_clients(self, daemon):
        client = Client(daemon)
        before = client.served()
        with Crowd(daemon, client.context()) as crowd:
            client.reissue()
            client.await_proof("proved")
            after = client.served()
        assert after != before
        assert set(crowd.leaves) <= {before, after}
        assert len(crowd.leaves) == 2, "clients were there before and after"
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

    def test_a_user_without_rights_cannot_sign_and_the_old_one_is_back(self, daemon):
        if not self.users:
            return
        client = Client(daemon)
        before = client.served()
        manager = daemon.box.manager
        manager.drop_in(daemon.service, "20-users", users=["visitor"])
        manager.stop()
        manager.start()
        client.reissue()
        client.await_proof("rolled-back")
        manager.drop_in(daemon.service, "20-users")
        manager.stop()
        manager.start()
        client.await_proof("proved")
        assert client.served() != before
