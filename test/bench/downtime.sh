#!/bin/bash
# How long a service cannot be reached while tallyman deploys it, against a bare `docker compose pull` and `up -d` of the same change.
#
#   TALLYMAN=path/to/tallyman test/bench/downtime.sh [RUNS]       as root; RUNS of each, 10 by default, by turns
#
# E2E_ENGINE, E2E_STORE and E2E_COMPOSE choose the parts, as for the end-to-end tests. Prints both medians and their ratio; ends with 1
# if tallyman's is more than MOST_RATIO (1.1) times compose's.
# shellcheck disable=SC2034 # the library uses what is only set here
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/e2e/lib/parts.bash
source "$here/../e2e/lib/parts.bash"
# shellcheck source=test/e2e/lib/tallyman.bash
source "$here/../e2e/lib/tallyman.bash"
runs=${1:-10}
[[ $runs =~ ^[1-9][0-9]*$ ]] || { echo "usage: TALLYMAN=path $0 [RUNS]" >&2; exit 2; }
ENGINE_OPTIONS=() TALLY_ENV=()

parts_init
clean_up() {
    local status=$?
    set +eu +o pipefail # the library is not written for them, and all of it must be stopped
    parts_stop
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
[[ -x ${TALLYMAN:-} ]] || fail_because "TALLYMAN=${TALLYMAN:-} is no program: build it first, and name it"
registry_start hub
engine_start it "$E2E_ENGINE" "$E2E_STORE"
HUB=$(registry_address hub)
ETC=$PARTS/etc STATE=$PARTS/state STATUS=$PARTS/status.json
declare -A port=([tallyman]=8001 [compose]=8002)

# Asks PORT every few milliseconds until it answers LAST; prints for how many milliseconds nobody answered.
cat >"$PARTS/poll.py" <<'PYTHON'
import http.client
import sys
import time

port, last, ready = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def answer():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode().strip()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


end = time.monotonic() + 120
reached = None
down = 0.0
while True:
    asked = time.monotonic()
    text = answer()
    now = time.monotonic()
    if now > end:
        sys.exit(f"port {port} did not answer {last} within two minutes")
    if text is None:
        broken = True
    else:
        if reached is None:
            open(ready, "w").close()
        elif broken:
            down += asked - reached
        reached, broken = now, False
        if text == last:
            break
    time.sleep(0.005)
print(round(down * 1000))
PYTHON

by_tallyman() { tally run; }
by_compose() {
    compose it "$E2E_COMPOSE" "$PARTS/compose" pull -q
    compose it "$E2E_COMPOSE" "$PARTS/compose" up -d
}

# measure WHO NUMBER: one deployment; prints its milliseconds, and keeps them
measure() {
    local who=$1 text="$1 $2" poller ready=$PARTS/ready.$1.$2
    image_push "$HUB/team/$who:stable" "$text" >/dev/null
    nsenter --net="/run/netns/$(engine_netns it)" python3 "$PARTS/poll.py" "${port[$who]}" "$text" "$ready" >"$PARTS/down" &
    poller=$!
    wait_until "$who serves before deployment $2" "" test -e "$ready"
    "by_$who" >"$PARTS/deployment.log" 2>&1 || fail_because "deployment $2 by $who" "$PARTS/deployment.log"
    wait "$poller" || fail_because "deployment $2 by $who is never served" "$PARTS/deployment.log"
    tee -a "$PARTS/$who.ms" <"$PARTS/down"
}
median() { # FILE
    sort -n "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

mkdir -p "$ETC/conf.d" "$PARTS/tallyman" "$PARTS/compose"
for who in tallyman compose; do
    image_push "$HUB/team/$who:stable" "$who 0" >/dev/null
    cat >"$PARTS/$who/compose.yaml" <<YAML
services: {web: {image: "$HUB/team/$who:stable", ports: ["127.0.0.1:${port[$who]}:80"]}}
YAML
    compose it "$E2E_COMPOSE" "$PARTS/$who" up -d 2>"$PARTS/up.log" || fail_because "compose up" "$PARTS/up.log"
    engine_serves it "http://127.0.0.1:${port[$who]}/" "$who 0"
done
drop_in web <<TOML
image = "$HUB/team/tallyman:stable"
[health]
settle = "1s"
TOML

printf 'milliseconds without an answer; engine %s %s, compose %s\n' "$E2E_ENGINE" "$E2E_STORE" "$E2E_COMPOSE"
printf '%4s %9s %9s\n' run tallyman compose
for ((number = 1; number <= runs; number++)); do
    # Who is first changes, so that whatever one leaves for the other evens out.
    if ((number % 2)); then order=(tallyman compose); else order=(compose tallyman); fi
    declare -A ms=()
    for who in "${order[@]}"; do ms[$who]=$(measure "$who" "$number"); done
    printf '%4d %9d %9d\n' "$number" "${ms[tallyman]}" "${ms[compose]}"
done
ours=$(median "$PARTS/tallyman.ms") theirs=$(median "$PARTS/compose.ms")
awk -v ours="$ours" -v theirs="$theirs" -v most="${MOST_RATIO:-1.1}" 'BEGIN {
    ratio = ours / theirs
    printf "median: tallyman %d ms, compose %d ms, ratio %.2f, at most %.2f is wanted\n", ours, theirs, ratio, most
    exit ratio > most
}'
