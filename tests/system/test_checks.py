"""The checks of scripts/ refuse what they are there to refuse."""

import pathlib
import subprocess

import pytest
from box.process import run

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def include_edges(top):
    return run(["/usr/bin/python3", REPOSITORY / "scripts/lib/include_edges.py", top], check=False)


@pytest.mark.parametrize("file, include, allowed", [
    ("certmgr/core/a.cpp", "certmgr/store/database.h", False),
    ("certmgr/engine/a.cpp", "hal/client/keyd_client.h", False),
    ("certmgr/ctl/a.cpp", "certmgr/engine/views.h", False),
    ("certmgr/responder/a.cpp", "certmgr/acme/issue.h", False),
    ("hal/keyd/a.cpp", "certmgr/core/clock.h", False),
    ("hal/provider/a.cpp", "hal/keyd/backend.h", False),
    ("certmgr/stray/a.cpp", "certmgr/core/clock.h", False),
    ("certmgr/daemon/main.cpp", "hal/client/keyd_client.h", True),
    ("certmgr/engine/a.cpp", "certmgr/store/database.h", True),
    ("certmgr/engine/a.cpp", "hal/error.h", True),
    ("certmgr/acme/wire/a.cpp", "certmgr/net/http_client.h", True),
])
def test_include_edges(tmp_path, file, include, allowed):
    source = tmp_path / file
    source.parent.mkdir(parents=True)
    source.write_text(f'#include "{include}"\n')
    result = include_edges(tmp_path)
    assert (result.returncode == 0) == allowed, result.stdout
    assert allowed or file in result.stdout


def test_leftovers_are_found(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with subprocess.Popen(["sleep", "60"], env={"TMPDIR": str(folder), "PATH": "/usr/bin"}) as child:
        found = run(["/usr/bin/python3", REPOSITORY / "scripts/lib/leftovers.py", folder], check=False)
        child.kill()
    assert found.returncode == 1
    assert f"process {child.pid}" in found.stdout
    assert run(["/usr/bin/python3", REPOSITORY / "scripts/lib/leftovers.py", folder]).returncode == 0
