#!/usr/bin/env bash
# Runs one fuzzer: fuzz.sh SECONDS FUZZER CORPUS, from the top. What it finds stays in build/fuzz/found.
set -euo pipefail
seconds=$1 fuzzer=$2 corpus=$3
new=$(mktemp -d) found=build/fuzz/found
mkdir -p "$found"
log=$new.log
if build/fuzz/tests/fuzz/"$fuzzer" -max_total_time="$seconds" -max_len=65536 -timeout=60 -rss_limit_mb=2048 \
    -artifact_prefix="$found/$fuzzer-" "$new" "$corpus" >"$log" 2>&1; then
    echo "$fuzzer: $(grep -o 'Done [0-9]* runs.*' "$log"), $(find "$new" -type f | wc -l) new inputs, nothing found"
    status=0
else
    tail -n 40 "$log" >&2
    echo "$fuzzer found something: its input is in $found" >&2
    status=1
fi
rm -rf "$new" "$log"
exit "$status"
