"""certmgr beside lego, uacme and certbot on the same Pebble, and what certmgr does alone. Prints Markdown tables."""

import concurrent.futures
import datetime
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import dbus  # noqa: E402  (the path above comes first)
from box import PROXIED, QUICK, WEB_INTERFACE, Box, BoxError, namespace  # noqa: E402
from box.process import run, wait_until  # noqa: E402
from measure import Cost, cpu_of, cpu_of_machine, memory_of, run_measured  # noqa: E402
from peers import PEERS, Lego  # noqa: E402
from watch import bus_at, certmgr_processes, lines, manager_on, object_path  # noqa: E402

ROUNDS = 15            # single issuances of each client
SIDE_BY_SIDE = 500
PEBBLES = 5
LEGO_SIDE_BY_SIDE = 50     # some 4 a second
LOCAL = 1000
CALLERS = 4
LEGO_AT_ONCE = 16      # each waits most of its time
BARE_CLIENT = pathlib.Path(__file__).resolve().parents[3] / "build/release/tests/bench/issuance/bench_acme"
EVERY_TIME_ANEW = {**QUICK, "PEBBLE_AUTHZREUSE": "0"}


def settled(box, count, state, limit=300):
    """Waits until so many certificates are in force, as certmgrctl lists them."""

    def all_there():
        found = [it for it in box.control.certificates().values() if it["State"] == state]
        return len(found) >= count

    wait_until(f"{count} {state} certificates", all_there, limit, interval=0.2)


def proofs(box):
    return lines(box, f" of {re.escape(WEB_INTERFACE)}: .* is served with its whole chain")


def one_reissue(box, manager):
    """A new key, an order, a new generation, the reload of nginx, and the handshake that proves it."""
    before = proofs(box)
    cpu = cpu_of(certmgr_processes(box))
    start = time.monotonic()
    manager.Reissue(object_path(WEB_INTERFACE))
    wait_until("proof of the new certificate", lambda: proofs(box) > before, interval=0.005)
    wall = time.monotonic() - start
    memory = max(memory_of(pid, "VmHWM") for pid in certmgr_processes(box))
    return Cost(wall, cpu_of(certmgr_processes(box)) - cpu, memory)


def reissues(box):
    """Asked for over the bus, as the daemon's own schedule and the page do: no certmgrctl runs for a renewal."""
    with bus_at(box.bus.address) as bus:
        manager = manager_on(bus)
        return [one_reissue(box, manager) for _ in range(ROUNDS)]


def without_reload(box):
    """nginx then opens the files of the name for each handshake."""
    live = box.manager.state / "live/web-interface"
    box.nginx.write_configuration({name: box.manager.live("reverse-proxy", name) for name in PROXIED}, live)
    box.nginx.reload()
    box.manager.add_service("web-interface", "Web interface", [WEB_INTERFACE], box.nginx, reload=False)
    box.manager.restart()
    settled(box, len(namespace.NAMES), "acme")


def registered(kind, box):
    """A peer whose challenges the box's responder answers."""
    webroot = box.folder / "webroot"
    if not webroot.exists():
        (webroot / ".well-known").mkdir(parents=True)
        (webroot / ".well-known/acme-challenge").symlink_to(box.folder / "challenges")
    reload, = box.nginx.reload_command  # the same as certmgr's
    peer = kind(box.folder, box.ca.directory, box.ca.trust_file, webroot, reload)
    peer.register()
    return peer


def table_of_single_issuances(box):
    rows = [("certmgr", reissues(box))]
    without_reload(box)
    rows.append(("certmgr, nginx reads the files for each handshake", reissues(box)))
    for peer in [registered(kind, box) for kind in PEERS]:
        rows.append((f"{peer.name} {peer.version()}", [
            run_measured(peer.command(f"{peer.name}-{number}.example.com"), peer.environment,
                         box.folder / f"log/{peer.name}.log") for number in range(ROUNDS)]))
    print("| client | wall, median | wall, worst | CPU, mean | peak memory |\n| --- | --- | --- | --- | --- |")
    for name, costs in rows:
        walls = [cost.wall for cost in costs]
        print(f"| {name} | {statistics.median(walls) * 1000:.0f} ms | {max(walls) * 1000:.0f} ms "
              f"| {statistics.mean(cost.cpu for cost in costs) * 1000:.0f} ms "
              f"| {max(cost.peak_memory for cost in costs) / 2**20:.1f} MB |", flush=True)


def request(address, names, acme, begin):
    """One connection, one request after another; each answers as soon as its job is taken."""
    with bus_at(address) as bus:
        manager = manager_on(bus)
        begin.wait()
        for name in names:
            manager.Request(dbus.Array([name], signature="s"), dbus.Dictionary({"acme": acme}, signature="sv"))


def rate_of(box, names, acme):
    """Certificates a second, from the first request until the last one of the wanted kind is in force. Four callers, in
    processes that are ready before: the daemon is not to wait for a Python interpreter."""
    wanted = f"{names[0].partition('-')[0]}-[0-9]+.example.com: {'acme' if acme else 'local'} certificate of"
    begin = multiprocessing.Barrier(CALLERS + 1)
    callers = [multiprocessing.Process(target=request, args=(box.bus.address, names[part::CALLERS], acme, begin))
               for part in range(CALLERS)]
    for caller in callers:
        caller.start()
    begin.wait()
    start = time.monotonic()
    wait_until(f"{len(names)} certificates", lambda: lines(box, wanted) >= len(names), 60, interval=0.02)
    seconds = time.monotonic() - start
    for caller in callers:
        caller.join()
    return len(names) / seconds


def side_by_side(box):
    """Without services: what is issued is not deployed, as with lego, which runs no hook here."""
    ours, theirs = certmgr_processes(box), [box.ca.process.pid]
    before = cpu_of(ours), cpu_of(theirs)
    busy, idle = cpu_of_machine()
    rate = rate_of(box, [f"many-{number}.example.com" for number in range(SIDE_BY_SIDE)], acme=True)
    each = (cpu_of(ours) - before[0]) / SIDE_BY_SIDE
    pebble_each = (cpu_of(theirs) - before[1]) / SIDE_BY_SIDE
    busy, idle = (after - began for after, began in zip(cpu_of_machine(), (busy, idle)))
    rest = busy / SIDE_BY_SIDE - each - pebble_each
    both = os.cpu_count() / (each + pebble_each)
    lego_per_second, lego_each = lego_alone(registered(Lego, box))
    bare = bare_rate(box)
    print(f"\n| {SIDE_BY_SIDE} issuances side by side, not deployed | per second | CPU of each |\n| --- | --- | --- |\n"
          f"| certmgr | {rate:.0f} | {each * 1000:.1f} ms |\n"
          f"| lego, {LEGO_AT_ONCE} at once | {lego_per_second:.1f} | {lego_each * 1000:.1f} ms |\n"
          f"| a bare client on the same Pebble: no keys kept, nothing stored | {bare:.0f} | |\n"
          f"| what {os.cpu_count()} cores allow to certmgr and Pebble together | {both:.0f} | |\n"
          f"| Pebble | {os.cpu_count() / pebble_each:.0f} with clients for free | {pebble_each * 1000:.1f} ms |\n"
          f"| the bus, the responder, those who ask, the kernel's own threads | | {rest * 1000:.1f} ms |\n"
          f"| no work for a core | | {idle / (busy + idle):.0%} of the time |", flush=True)


def table_of_many_issuances():
    """Pebble locks up under many requests at once, one run in three, whoever sends them: then with another one."""
    for _ in range(PEBBLES):
        with Box(ca="pebble", pebble_environment=EVERY_TIME_ANEW, key_policy="file", check=False) as box:
            box.start()
            settled(box, len(namespace.NAMES), "acme")
            try:
                return side_by_side(box)
            except (TimeoutError, subprocess.TimeoutExpired):
                if not box.ca.locked_up():
                    raise
                print("Pebble has locked up; once more, with another one", file=sys.stderr)
    raise BoxError(f"{PEBBLES} Pebbles have locked up")


def bare_rate(box):
    """What Pebble gives to the very same flow when nothing else is done."""
    return max(float(run([BARE_CLIENT, box.ca.directory, box.ca.trust_file, box.folder / "challenges", str(SIDE_BY_SIDE),
                          str(threads)]).stdout) for threads in (2, 4))


def lego_alone(lego):
    """Issuances a second, and the seconds of CPU of each."""
    names = [f"lego-many-{number}.example.com" for number in range(LEGO_SIDE_BY_SIDE)]
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(LEGO_AT_ONCE) as pool:
        costs = list(pool.map(lambda name: run_measured(lego.command(name)[:-2], lego.environment), names))
    return LEGO_SIDE_BY_SIDE / (time.monotonic() - start), statistics.mean(cost.cpu for cost in costs)


def table_of_local_issuances():
    with Box(ca=None, tpm=False, key_policy="file") as box:
        box.start()
        rate = rate_of(box, [f"local-{number}.example.com" for number in range(LOCAL)], acme=False)
        box.manager.stop()
        box.manager.start()
        settled(box, LOCAL, "local")
        threads = pathlib.Path(f"/proc/{box.manager.process.pid}/task")
        wait_until("the end of its idle threads", lambda: len(list(threads.iterdir())) == 1, 60, interval=1)
        idle = memory_of(box.manager.process.pid, "VmRSS")
    print("\n| local certificates | |\n| --- | --- |")
    print(f"| issued over the bus, keys in files, each durable, one by one | {rate:.0f}/s |")
    print(f"| raw signatures, `openssl speed ecdsap256`, one core | {openssl_speed():.0f}/s |")
    print(f"| resident memory of certmgrd, idle, with {LOCAL:,} of them | {idle / 2**20:.1f} MB |", flush=True)


def openssl_speed():
    text = run(["openssl", "speed", "-seconds", "1", "ecdsap256"]).stdout
    return float(re.search(r"nistp256\).* ([0-9.]+) +[0-9.]+$", text, re.MULTILINE).group(1))


def trust_pebble(box):
    """uacme knows no trust file of its own: in our mount namespace the system's has Pebble's certificate too."""
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    extended = box.folder / "ca-certificates.crt"
    extended.write_text(bundle.read_text() + box.ca.trust_file.read_text())
    run(["mount", "--bind", extended, bundle])


def describe_machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    print(f"{datetime.date.today()}, {os.cpu_count()} × {model.group(1) if model else 'CPU unknown'}, Pebble without sleeps "
          f"and nonce rejects, {ROUNDS} rounds each\n", flush=True)


def main():
    try:
        namespace.enter(network=True)
        describe_machine()
        # Debian's Pebble: uacme does not know the challenges without a token that a newer one offers. No check before
        # the reload, since the peers' hooks have none.
        with Box(ca="debian-pebble", pebble_environment=EVERY_TIME_ANEW, key_policy="file", check=False) as box:
            trust_pebble(box)
            box.start()
            settled(box, len(namespace.NAMES), "acme")
            table_of_single_issuances(box)
        table_of_many_issuances()
        table_of_local_issuances()
        return 0
    except BoxError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
