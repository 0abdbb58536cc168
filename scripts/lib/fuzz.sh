#!/usr/bin/env bash
# Runs one fuzzer: fuzz.sh SECONDS NAME, from the top. It begins with tests/fuzz/corpus/NAME and tests/data/x509; what
# it finds stays in build/fuzz/found.
set -euo pipefail
seconds=$1 name=$2
new=$(mktemp -d) found=build/fuzz/found
mkdir -p "$found"
log=$new.log
# Memory and time for one input are bounds of the product too; ASan has its share of the memory.
if build/fuzz/tests/fuzz/fuzz_"$name" -max_total_time="$seconds" -max_len=65536 -timeout=20 -report_slow_units=20 \
    -rss_limit_mb=1024 -artifact_prefix="$found/$name-" "$new" tests/fuzz/corpus/"$name" tests/data/x509 >"$log" 2>&1; then
    echo "$name: $(grep -o 'Done [0-9]* runs.*' "$log"), $(find "$new" -type f | wc -l) new inputs, nothing found"
    status=0
else
    tail -n 40 "$log" >&2
    echo "$name found something: its input is in $found" >&2
    status=1
fi
rm -rf "$new" "$log"
exit "$status"
