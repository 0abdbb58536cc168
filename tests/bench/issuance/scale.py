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


def written(box, what):
    """What certmgrd and keyd wrote, bytes: "wchar" as they handed it over, "write_bytes" in the disk's blocks. proc(5), io."""
    counts = [pathlib.Path(f"/proc/{pid}/io").read_text().split() for pid in certmgr_processes(box)]
    return sum(int(fields[fields.index(f"{what}:") + 1]) for fields in counts)


def reloads(box):
    return len(re.findall("received from .*, reconfiguring", box.nginx.log.read_text(errors="replace")))


@contextlib.contextmanager
def serving(count, by_variable=False):
    """A box whose nginx serves so many names, each with a certificate of its own, and all are proved. `by_variable`: one
    server block is for all of them, with $ssl_server_name in the files' names."""
    with Box(ca=None, tpm=False, key_policy="file") as box:
        for profile in box.manager.services.iterdir():
            profile.unlink()
        box.manager.add_service("reverse-proxy", "Reverse proxy", names(count), box.nginx, reload=not by_variable)
        live = box.manager.state / "live/reverse-proxy"
        if by_variable:
            box.nginx.write_configuration({}, live)
        else:
            box.nginx.write_configuration({name: live / name / "current" for name in names(count)})
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


def spent(box):
    return (cpu_of(certmgr_processes(box)), written(box, "wchar"), written(box, "write_bytes"), reloads(box))


def blocks_of(by_variable):
    return "one for all, by `$ssl_server_name`" if by_variable else "one for each"


def row_of_one_change(count, by_variable=False):
    with serving(count, by_variable) as box, bus_at(box.bus.address) as bus:
        manager = manager_on(bus)
        before = spent(box)
        wall = sum(one_change(box, manager) for _ in range(ROUNDS)) / ROUNDS
        cpu, handed_over, blocks, reloaded = ((late - early) / ROUNDS for early, late in zip(before, spent(box)))
        print(f"| {count:,} | {blocks_of(by_variable)} | {wall * 1000:.0f} ms | {check_alone(box) * 1000:.0f} ms | {cpu * 1000:.0f} ms "
              f"| {handed_over / 1024:.0f} KiB | {blocks / 1024:.0f} KiB | {reloaded:.1f} |", flush=True)


def table_of_one_change():
    print("\n| names on one nginx | its server blocks | one certificate changed and proved | nginx -t alone | CPU, nginx -t "
          "included | written | in blocks of the disk | reloads |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    row_of_one_change(FEW)
    row_of_one_change(MANY)
    row_of_one_change(MANY, by_variable=True)


def change_root(box, bus):
    """A new root, and every leaf signed anew, served and proved."""
    proofs = lines(box, PROVED)
    authority = dbus.Interface(bus.get_object("org.certmgr1", "/org/certmgr1", introspect=False),
                               "org.certmgr1.AuthorityManager")
    authority.Reissue()
    wait_until(f"{MANY} proofs", lambda: lines(box, PROVED) >= proofs + MANY, 300, interval=0.1)


def row_of_the_root(by_variable):
    with serving(MANY, by_variable) as box, bus_at(box.bus.address) as bus:
        cpu, reloaded, start = cpu_of(certmgr_processes(box)), reloads(box), time.monotonic()
        change_root(box, bus)
        wall = time.monotonic() - start
        print(f"| {blocks_of(by_variable)} | {wall:.1f} s | {cpu_of(certmgr_processes(box)) - cpu:.1f} s "
              f"| {reloads(box) - reloaded} |", flush=True)


def table_of_the_root():
    print(f"\n| change of the root with {MANY:,} local certificates, server blocks | until all are served and proved "
          "| CPU, nginx -t included | reloads |\n| --- | --- | --- | --- |")
    for by_variable in (False, True):
        row_of_the_root(by_variable)


if __name__ == "__main__":
    namespace.enter()
    table_of_one_change()
    table_of_the_root()
