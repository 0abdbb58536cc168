"""Names what the tests left behind. Usage: leftovers.py FOLDER, their $TMPDIR: whatever they start inherits the
variable or has a file below the folder open, and whatever they write lies there. Status 1 where something was left."""

import os
import pathlib
import sys


def uses(process, folder):
    words = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    if os.fsencode(folder) in words:
        return True
    links = [process / "cwd", *(process / "fd").iterdir()]
    return any(os.readlink(link).startswith(folder + "/") for link in links)


def processes(folder):
    ours = {os.getpid(), os.getppid()}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) not in ours and uses(process, folder):
                yield f"process {process.name}: " + (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # it ended while we looked


def files(folder):
    for file in pathlib.Path(folder).iterdir():
        if not file.name.startswith("pytest-of-"):  # pytest keeps its last three folders by itself
            yield f"file {file}"


def main():
    folder = sys.argv[1]
    left = [*processes(folder), *files(folder)]
    for line in left:
        print(f"left behind by the tests: {line}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
