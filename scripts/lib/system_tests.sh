#!/usr/bin/env bash
# Runs one file of tests/system: system_tests.sh FILE, from the top, in a process with users, mounts, a /run and a loopback
# of its own. What fails is run once more; build/system has the logs, and the names of what passed only then.
set -euo pipefail
file=$1
state=build/system/$(basename "$file" .py)
rm -rf "$state"
mkdir -p "$state"

tests() {
    status=0
    /usr/bin/python3 -m pytest -q -o cache_dir="$PWD/$state/cache" "$@" "$file" </dev/null >>"$state/log" 2>&1 || status=$?
}

tests --durations=3
if [ "$status" = 0 ]; then
    echo "$file: $(tail -n 1 "$state/log")"
    exit 0
fi
if [ "$status" = 1 ]; then # tests have failed; any other status says that they could not be run, or that there are none
    sed -n 's/^  "\(.*\)": true,\?$/\1/p' "$state/cache/v/cache/lastfailed" >"$state/failed"
    tests --last-failed --last-failed-no-failures=none
    [ "$status" != 0 ] || mv "$state/failed" "$state/second-try"
fi
cat "$state/log"
exit "$status"
