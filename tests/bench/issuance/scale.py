"""What a cost does as the number of certificates grows. Prints Markdown tables."""

import contextlib
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import dbus  # noqa: E402  (the path above comes first)
from box import Box, namespace  # noqa: E402
from box.process import wait_until  # noqa: E402
from measure import cpu_of  # noqa: E402
from watch import bus_at, certmgr_processes, lines, manager_on, object_path  # noqa: E402

FEW, MANY = 10, 1000
ROUNDS = 5
PROVED = " is served with its whole chain"


def names(count):
    return [f"name-{number}.example.com" for number in range(count)]


def written(box):
    """Bytes that certmgrd and keyd had the kernel write to the disk: proc(5), io."""
    counts = [pathlib.Path(f"/proc/{pid}/io").read_text().split() for pid in certmgr_processes(box)]
    return sum(int(fields[fields.index("write_bytes:") + 1]) for fields in counts)


def reloads(box):
    return len(re.findall("received from .*, reconfiguring", box.nginx.log.read_text(errors="replace")))


@contextlib.contextmanager
def serving(count):
    """A box whose nginx serves so many names, each with a certificate of its own, and all are proved."""
    with Box(ca=None, tpm=False, key_policy="file") as box:
        for profile in box.manager.services.iterdir():
            profile.unlink()
        box.manager.add_service("reverse-proxy", "Reverse proxy", names(count), box.nginx)
        box.nginx.write_configuration({name: box.manager.live("reverse-proxy", name) for name in names(count)})
        box.manager.start(limit=120)
        box.nginx.start()
        wait_until(f"{count} proofs", lambda: lines(box, PROVED) >= count, 300, interval=0.1)
        yield box


def check_alone(box):
    """What nginx itself needs to look at such a configuration."""
    start = time.monotonic()
    subprocess.run(box.nginx.check_command, check=True)
    return time.monotonic() - start


def one_change(box, manager):
    proofs, start = lines(box, PROVED), time.monotonic()
    manager.Reissue(object_path(names(1)[0]))
    wait_until("proof of the new certificate", lambda: lines(box, PROVED) > proofs, interval=0.005)
    return time.monotonic() - start


def row_of_one_change(count):
    with serving(count) as box, bus_at(box.bus.address) as bus:
        manager = manager_on(bus)
        before = cpu_of(certmgr_processes(box)), written(box), reloads(box)
        wall = sum(one_change(box, manager) for _ in range(ROUNDS)) / ROUNDS
        after = cpu_of(certmgr_processes(box)), written(box), reloads(box)
        cpu, octets, reloaded = ((late - early) / ROUNDS for early, late in zip(before, after))
        print(f"| {count:,} | {wall * 1000:.0f} ms | {check_alone(box) * 1000:.0f} ms | {cpu * 1000:.0f} ms "
              f"| {octets / 1024:.0f} KiB | {reloaded:.1f} |", flush=True)


def table_of_one_change():
    print("\n| Names on one nginx | one certificate changed and proved | nginx -t alone | CPU | written | reloads |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in (FEW, MANY):
        row_of_one_change(count)


def change_root(box, bus):
    """A new root, and every leaf signed anew, served and proved."""
    proofs = lines(box, PROVED)
    authority = dbus.Interface(bus.get_object("org.certmgr1", "/org/certmgr1", introspect=False),
                               "org.certmgr1.AuthorityManager")
    authority.Reissue()
    wait_until(f"{MANY} proofs", lambda: lines(box, PROVED) >= proofs + MANY, 300, interval=0.1)


def table_of_the_root():
    with serving(MANY) as box, bus_at(box.bus.address) as bus:
        cpu, reloaded, start = cpu_of(certmgr_processes(box)), reloads(box), time.monotonic()
        change_root(box, bus)
        print(f"\n| Change of the root with {MANY:,} local certificates | |\n| --- | --- |")
        print(f"| until all are served and proved | {time.monotonic() - start:.1f} s |")
        print(f"| CPU of certmgrd, nginx -t included, and keyd | {cpu_of(certmgr_processes(box)) - cpu:.1f} s |")
        print(f"| reloads of nginx | {reloads(box) - reloaded} |", flush=True)


if __name__ == "__main__":
    namespace.enter()
    table_of_one_change()
    table_of_the_root()
