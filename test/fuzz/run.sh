#!/bin/bash
# Fuzzes one target after the other, on one core, and prints what came of it. Status 1: there are findings.
#
#   test/fuzz/run.sh [SECONDS [FOLDER [TARGET...]]]      default: 60 s for each of all targets
#
# FOLDER keeps corpus, findings and logs, outside of the tree; what is in it already is used again.
# Each finding is mended, and its file goes into test/fuzz/seeds/TARGET, with a name that says what it was.
# $TALLYMAN_FUZZ is the program; without it, it is built (preset fuzz).
set -euo pipefail

seconds=${1:-60}
folder=${2:-$(mktemp -d -t tallyman-fuzz.XXXXXX)}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "usage: test/fuzz/run.sh [SECONDS [FOLDER [TARGET...]]]" >&2; exit 2; }
mkdir -p "$folder"
folder=$(realpath "$folder")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
shift "$(($# < 2 ? $# : 2))"
targets=("$@")
if [[ $# -eq 0 ]]; then
    mapfile -t targets < <(ls test/fuzz/seeds)
fi
if [[ -z ${TALLYMAN_FUZZ:-} ]]; then
    cmake --preset fuzz >/dev/null
    cmake --build --preset fuzz
    TALLYMAN_FUZZ=$PWD/.build/fuzz/test/fuzz/tallyman-fuzz
fi

stat_of() { sed -n "s/^stat::$1: *//p" "$2" | tail -n 1; }

echo "corpus, findings and logs are in $folder"
printf '%-16s %12s %8s %8s %8s  %s\n' target runs runs/s cpu corpus findings
status=0
TIMEFORMAT=%U # of the fuzzer alone; on a busy machine it is far below SECONDS
for target in "${targets[@]}"; do
    mkdir -p "$folder/corpus/$target" "$folder/findings/$target"
    log=$folder/$target.log
    # A finding ends it early; so does a leak.
    export TALLYMAN_FUZZ_TARGET=$target
    cpu=$({ time "$TALLYMAN_FUZZ" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$folder/findings/$target/" \
        "$folder/corpus/$target" "test/fuzz/seeds/$target" >"$log" 2>&1; } 2>&1) || status=1
    found=$(find "$folder/findings/$target" -type f -printf '%f ')
    printf '%-16s %12s %8s %8s %8s  %s\n' "$target" "$(stat_of number_of_executed_units "$log")" \
        "$(stat_of average_exec_per_sec "$log")" "$cpu" "$(find "$folder/corpus/$target" -type f | wc -l)" "${found:-none}"
done
exit $status
