"""kill -9 at every durable step and at random moments, and a loss of power: pairs match, TLS is served, and no order is repeated."""

import random
import time

from await_state import certificates_where, on_bus, proved
from box import QUICK, WEB_INTERFACE, namespace
from box.process import run
from durable_steps import KilledAfterStep, PowerCutAfterStep

NEW_ORDER = "POST /order-plz"
QUIET_SECONDS = 2


def pairs_match(box):
    """By openssl alone: the public key of each leaf on disk is the one of the key beside it."""
    environment = {"OPENSSL_CONF": str(box.nginx.openssl_conf), "PATH": "/usr/bin"}
    folders = list((box.manager.state / "live").glob("*/*/current"))
    assert folders
    for folder in folders:
        leaf = run(["openssl", "x509", "-in", folder / "fullchain.pem", "-noout", "-pubkey"]).stdout
        key = run(["openssl", "pkey", "-in", folder / "key.pem", "-pubout"], env=environment).stdout
        assert leaf == key, f"{folder}: key and leaf do not belong together"


def serves_tls(box):
    """Some certificate of ours is served for every name; whose it is, is the business of the caller."""
    return all(box.look(name).leaf for name in namespace.NAMES)


def settled(box):
    return certificates_where(box, lambda it: it["State"] == "acme" and it["Proof"] == "proved" and not it["Activity"],
                              "peace after the restart", limit=90)


def test_killed_after_every_durable_step_of_a_reissue(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    step, repeated, completed = 0, [], False
    while not completed:
        step += 1
        assert step < 400, "the reissue never comes to its end"
        box.manager.stop()
        orders, leaf = box.ca.count(NEW_ORDER), box.look(WEB_INTERFACE).leaf
        killer = KilledAfterStep(box, step)
        box.manager.start(killer.wrapper, limit=60)
        settled(box)
        killer.arm()
        box.control.run("reissue", WEB_INTERFACE, check=False)
        completed = not killed_before_the_end(box, killer)
        if not completed:
            assert serves_tls(box), f"no TLS after a kill at step {step}"
            pairs_match(box)
            box.manager.start()
        settled(box)
        if completed:
            killer.end(box.manager)
            box.manager.start()
        asked = box.ca.count(NEW_ORDER) - orders
        changed = box.look(WEB_INTERFACE).leaf != leaf
        if asked != (1 if changed else 0):
            repeated.append(f"step {step}: {asked} orders, leaf {'changed' if changed else 'unchanged'}")
    assert repeated == [], f"{step} steps were tried"
    assert step > 10, "the sweep saw the steps of a reissue"
    pairs_match(box)


def killed_before_the_end(box, killer):
    """False where the daemon took all its steps, and no more came for a while, before it came to the kill."""
    quiet_since, counted = time.monotonic(), killer.counted
    while box.manager.process.running():
        if killer.counted != counted:
            quiet_since, counted = time.monotonic(), killer.counted
        if not killer.killed and time.monotonic() - quiet_since > QUIET_SECONDS:
            return False
        time.sleep(0.02)
    killer.join()
    return True


def test_killed_at_random_moments_of_the_first_start(make_box):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown by pytest where the test fails
    moments = random.Random(seed)
    box = make_box(pebble_environment={"PEBBLE_VA_SLEEPTIME": "1", "PEBBLE_WFE_NONCEREJECT": "0"})
    kills = 8
    box.manager.start()
    box.nginx.start()
    for _ in range(kills):
        time.sleep(moments.uniform(0.02, 1.0))
        box.manager.process.kill()
        box.manager.process.child.wait()
        box.manager.launch()
    on_bus(box)
    settled(box)
    pairs_match(box)
    names = len(namespace.NAMES)
    assert box.ca.count(NEW_ORDER) == names, "one order for each name, whatever was killed in between"


def test_state_survives_an_orderly_restart(box):
    before = proved(box, "acme")
    orders = box.ca.count(NEW_ORDER)
    assert box.manager.stop() == 0
    assert serves_tls(box)
    box.manager.start()
    after = proved(box, "acme")
    assert {name: it["Sha256"] for name, it in after.items()} == {name: it["Sha256"] for name, it in before.items()}
    assert box.ca.count(NEW_ORDER) == orders


def test_power_fails_in_the_middle_of_an_order(make_box):
    """What was written and not synchronised is gone, and still one order is made for one intent."""
    name, found, completed = "power.example.com", [], False
    box = make_box(sites=False, tpm=False, pebble_environment=QUICK)

    def issued():
        return certificates_where(box, lambda it: it["State"] == "acme" and not it["Activity"], "peace", names=[name])[name]

    box.manager.start()
    box.control.run("request", name)
    while not completed:
        leaf, orders = issued()["Sha256"], box.ca.count(NEW_ORDER)
        box.manager.stop()
        cut = PowerCutAfterStep(box, len(found) + 1)
        box.manager.start(cut.wrapper, limit=60)
        issued()
        cut.arm()
        box.control.run("reissue", name, check=False)
        completed = not killed_before_the_end(box, cut)
        if completed:
            cut.end(box.manager)
            continue
        cut.restore()
        box.manager.start()
        found.append((issued()["Sha256"] != leaf, box.ca.count(NEW_ORDER) - orders))
    assert len(found) > 5, "the steps of a reissue were seen"
    assert all(asked == changed for changed, asked in found), f"whether it is another certificate, and orders: {found}"
    assert any(changed for changed, _ in found), found
