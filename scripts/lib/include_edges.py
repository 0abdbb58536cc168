"""Refuses #include edges that the layout does not allow. Usage: include_edges.py TOP; every offence is one line.

daemon -> bus -> engine -> {acme -> net, authority, deploy, store, config} -> crypto -> core -> hal/include
"""

import pathlib
import re
import sys

# What each folder may include beside itself; the contracts in hal/include ("hal/error.h") are open to all.
BASE = {"certmgr/core"}
CRYPTO = BASE | {"certmgr/crypto"}
MIDDLE = {f"certmgr/{name}" for name in ("acme", "authority", "deploy", "store")}
ALLOWED = {
    "certmgr/core": set(),
    "certmgr/crypto": BASE,
    "certmgr/net": CRYPTO,
    "certmgr/acme": CRYPTO | {"certmgr/net"},
    "certmgr/authority": CRYPTO,
    "certmgr/deploy": CRYPTO,
    "certmgr/store": CRYPTO,
    "certmgr/config": CRYPTO | {"certmgr/acme", "certmgr/authority", "certmgr/net"},
    "certmgr/engine": CRYPTO | MIDDLE | {"certmgr/config", "certmgr/net"},
    "certmgr/bus": BASE | {"certmgr/engine"},
    "certmgr/ctl": BASE,
    "certmgr/responder": BASE,
    # A program of its own, that root runs; the second place that names implementations.
    "certmgr/install": CRYPTO | {"certmgr/config", "certmgr/deploy", "hal/client", "hal/systemd"},
    # Another one.
    "certmgr/port": BASE | {"certmgr/config", "hal/systemd"},
    # The composition root: the one place that names implementations.
    "certmgr/daemon": CRYPTO | MIDDLE | {"certmgr/config", "certmgr/net", "certmgr/engine", "certmgr/bus",
                                         "hal/client", "hal/systemd"},
    "hal/include": set(),
    "hal/client": set(),
    "hal/keyd": {"hal/client"},
    "hal/provider": {"hal/client"},
    "hal/systemd": set(),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def owner(path):
    """The folder of ALLOWED that a file lies in; "" for none. "hal/error.h" is a contract: hal/include."""
    parts = pathlib.PurePath(path).parts
    if parts[0] == "hal" and len(parts) == 2:
        return "hal/include"
    return "/".join(parts[:2]) if len(parts) > 2 else ""


def offences(top):
    files = sorted(file for part in ("certmgr", "hal") for file in (top / part).rglob("*") if file.suffix in (".h", ".cpp"))
    for file in files:
        here = owner(file.relative_to(top))
        if here not in ALLOWED:
            yield f"{file.relative_to(top)}: lies in no folder of the layout; add it to {__file__} if it should"
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if match and owner(match.group(1)) not in ALLOWED[here] | {here, "hal/include"}:
                yield (f"{file.relative_to(top)}:{number}: {here} may not include \"{match.group(1)}\"; "
                       f"it may include {', '.join(sorted(ALLOWED[here])) or 'nothing'} and the contracts in hal/include")


def main():
    found = list(offences(pathlib.Path(sys.argv[1]).resolve()))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
