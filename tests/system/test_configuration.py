"""Settings and profiles that change while certmgrd runs."""

import contextlib
import re
import signal

import dbus.bus
from await_state import certificates_where, proved
from box import PROXIED, QUICK, WEB_INTERFACE, namespace
from box.process import run, wait_until

FRESH = "fresh.example.com"


def log_of(box):
    return box.manager.log.read_text(errors="replace")


def reloads(box):
    return len(re.findall("received from .*, reconfiguring", box.nginx.log.read_text(errors="replace")))


def reload(box):
    """As the unit does: the new configuration is looked at first. Returns when certmgrd has begun anew."""
    run([box.manager.program, "--check", "--config", box.manager.configuration])
    bus = dbus.bus.BusConnection(box.bus.address)
    before = bus.get_name_owner("org.certmgr1")

    def another():
        with contextlib.suppress(dbus.exceptions.DBusException):
            return bus.get_name_owner("org.certmgr1") != before
        return False

    box.manager.process.kill(signal.SIGHUP)
    wait_until("the new start", another)
    bus.close()


def profile(box, service, names):
    box.manager.add_service(service, service, names, box.nginx)


def serve(box, names_by_service):
    box.nginx.write_configuration({name: box.manager.live(service, name)
                                   for service, names in names_by_service.items() for name in names})
    box.nginx.reload()


def proofs_of_others(box):
    return len(re.findall(f"of (?!{FRESH}).*: .* is served with its whole chain", log_of(box)))


def serials(box):
    return {name: it["Serial"] for name, it in box.control.certificates().items()}


def test_a_new_module_is_all_that_is_touched(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    before, process, brought = serials(box), box.manager.process.pid, proofs_of_others(box)
    profile(box, "mail", [FRESH])
    reload(box)
    certificates_where(box, lambda it: it["State"] == "acme", "certificate of the new module", names=[FRESH])
    serve(box, {"web-interface": [WEB_INTERFACE], "reverse-proxy": PROXIED, "mail": [FRESH]})
    proved(box, "acme", names=[*namespace.NAMES, FRESH])
    assert box.manager.process.pid == process and box.manager.process.running(), "it never ended"
    after = serials(box)
    assert {name: after[name] for name in before} == before, "nothing else was issued anew"
    assert box.ca.count("POST /order-plz") == len(namespace.NAMES) + 1
    assert proofs_of_others(box) == brought, log_of(box)


def test_a_configuration_that_does_not_concern_the_services_reloads_none(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    before, reloaded, orders = serials(box), reloads(box), box.ca.count("POST /order-plz")
    box.manager.set("alarms", failures=5)
    reload(box)
    proved(box, "acme")
    assert (serials(box), reloads(box), box.ca.count("POST /order-plz")) == (before, reloaded, orders)


def test_a_name_that_is_dropped_goes_from_the_disk_and_one_that_is_changed_comes_at_once(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    kept, dropped = PROXIED
    profile(box, "reverse-proxy", [kept, FRESH])
    serve(box, {"web-interface": [WEB_INTERFACE], "reverse-proxy": [kept]})
    reload(box)
    wait_until("files of the new name", (box.manager.live("reverse-proxy", FRESH) / "fullchain.pem").exists)
    serve(box, {"web-interface": [WEB_INTERFACE], "reverse-proxy": [kept, FRESH]})
    proved(box, "acme", names=[WEB_INTERFACE, kept, FRESH])
    assert not box.manager.live("reverse-proxy", dropped).parent.exists()
    services = box.control.certificates()[dropped]["Services"]
    assert not services, f"what a CA gave stays to its end, and nothing serves it: {services}"


def test_a_wrong_file_changes_nothing_and_says_where(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    before, reloaded = serials(box), reloads(box)
    profile(box, "mail", [FRESH])
    (box.manager.services / "portal.toml").write_text('names = ["portal.example.com"]\nnonsense = 1\n')
    answer = run([box.manager.program, "--check", "--config", box.manager.configuration], check=False)
    assert answer.returncode == 1
    assert "portal.toml" in answer.stdout and "nonsense" in answer.stdout, answer.stdout
    box.manager.process.kill(signal.SIGHUP)
    wait_until("the refusal in the journal", lambda: "the configuration as it was stays in force" in log_of(box))
    assert "portal.toml:2" in log_of(box)
    assert serials(box) == before and reloads(box) == reloaded
    assert FRESH not in box.control.certificates(), "not the half of it"
    (box.manager.services / "portal.toml").unlink()
    reload(box)
    certificates_where(box, lambda it: it["State"] == "acme", "certificate of the new module", names=[FRESH])


def test_profiles_that_contradict_each_other_are_not_taken(make_box):
    box = make_box(pebble_environment=QUICK)
    box.start()
    proved(box, "acme")
    before = serials(box)
    profile(box, "mail", [WEB_INTERFACE])
    box.manager.drop_in("mail", "key", key_algorithm="rsa-2048")
    answer = run([box.manager.program, "--check", "--config", box.manager.configuration], check=False)
    assert answer.returncode == 1
    assert "different key_algorithm" in answer.stdout, answer.stdout
    box.manager.process.kill(signal.SIGHUP)
    wait_until("the refusal in the journal", lambda: "the configuration as it was stays in force" in log_of(box))
    assert serials(box) == before and box.manager.process.running()


def test_a_reload_amid_an_order_goes_on_with_it(make_box):
    box = make_box(pebble_environment={"PEBBLE_VA_SLEEPTIME": "3", "PEBBLE_WFE_NONCEREJECT": "0"})
    box.start()
    wait_until("the orders", lambda: box.ca.count("POST /order-plz") >= len(namespace.NAMES))
    reload(box)
    proved(box, "acme")
    assert box.ca.count("POST /order-plz") == len(namespace.NAMES)
