#!/bin/bash
# Random deployments in a row, and after each one everything that must be true: good images and broken ones, killed in any
# phase or while compose is at work, scaled, changed by hand, stopped and started. As root; it needs what test/run.sh installs.
#
#   TALLYMAN=… TALLYMAN_FAULTY=… test/soak.sh [COUNT=200] [SEED]
#
# Stops at the first violation, and keeps all its data. The same seed makes the same steps.
set -eE

count=${1:-200} seed=${2:-$(($(date +%s%N) / 1000 % 30000))}
[[ $count =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || { echo "usage: test/soak.sh [COUNT] [SEED]" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export E2E_DEADLINE=20
# shellcheck source=test/e2e/lib/parts.bash
source "$here/e2e/lib/parts.bash"
# shellcheck source=test/e2e/lib/tallyman.bash
source "$here/e2e/lib/tallyman.bash"
# shellcheck source=test/e2e/lib/crash.bash
source "$here/e2e/lib/crash.bash"

echo "soak: $count steps, seed $seed"
unset BATS_ROOT_PID # $PARTS is ours, also when bats calls
BATS_TEST_NUMBER=1
step=0 kind=none EXIT=0
need_faulty
tallyman_setup_file
exec 5>&1 # what fails may have its output elsewhere
on_exit() {
    local status=$?
    trap - EXIT ERR
    if ((status != 0)); then
        exec >&5 2>&1
        [[ ! -e ${ROW:-}/output ]] || cat "$ROW/output"
        echo "soak: VIOLATION at step $step of $count, seed $seed: $kind"
        echo "  all data: $PARTS    this step: ${ROW:-}"
        echo soak >>"$PARTS/failed"
    fi
    parts_stop
    exit "$status"
}
trap on_exit EXIT
trap 'exit 130' INT TERM

one_of() { PICKED=${*:RANDOM%$#+1:1}; } # no subshell: it would not move RANDOM on
scale_up() { compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d "$@"; }
pairs() { echo "${CRASH_REPLICAS##*=}"; }

# A new image in the registry, good or broken in one of several ways.
offer_new() { # good|bad
    local text=$NAME-step-$step options=()
    if [[ $1 == bad ]]; then
        one_of exits dies missing unhealthy error
        kind+=" ($PICKED)"
        case $PICKED in
        exits) options=(--cmd 'exit 1') ;;
        dies) options=(--cmd 'sleep 1; exit 3') ;;
        missing) options=(--cmd '["/bin/nothing"]') ;;
        unhealthy) options=(--healthcheck 'exit 1') ;;
        error) options=(--http-status 500) ;;
        esac
    fi
    NEW=$(new_image "$1" "$text" "${options[@]}")
    image_tag "$IMAGE:stable" "$NEW" >/dev/null
}

# The phases that a deployment of such an image comes through
random_moment() { # good|bad
    if [[ $1 == good ]]; then
        one_of protect pull tag recreate verify committed
    else
        one_of protect pull tag recreate verify tidy retag restore reverify rolled_back
    fi
    local phase=$PICKED
    one_of before after
    MOMENT=$phase:$PICKED
}

do_deploy() { # good|bad
    offer_new "$1"
    attempt run tally run
    exit_is 0 1 4
    [[ $1 == bad || $(status_of site .state) != failed ]] || fail_because "a good image failed" "$LAST_OUTPUT"
}
# What was not deployed because it is too early to try again is no violation: then the fault does not happen.
do_fault() { # good|bad kill|sigterm|error
    random_moment "$1"
    kind+=" $2 at $MOMENT"
    offer_new "$1"
    local TALLY_ENV=("TALLYMAN_FAULT=$MOMENT:$ROW/$2") TALLYMAN=$TALLYMAN_FAULTY
    attempt faulty tally run
    exit_is 0 1 4 137
}
do_flight() { # good|bad
    local event
    one_of create die destroy rename start
    event=$PICKED
    one_of both tallyman compose
    kind+=" kills $PICKED at compose's $event"
    compose_trap "$event" "$PICKED"
    offer_new "$1"
    attempt first tally run
    exit_is 0 1 4 137
}
do_scale() {
    one_of 1 2 3
    kind+=" to $PICKED"
    CRASH_REPLICAS="web=1 pair=$PICKED"
    attempt scale scale_up --no-recreate --scale "pair=$PICKED"
    exit_is 0
}
# The operator brings any earlier good image; until the tag moves, that stays.
do_by_hand() {
    local all digest
    mapfile -t all < <(awk '$3 == "good" { print $2 }' "$ETC/images")
    one_of "${all[@]}"
    digest=$PICKED
    engine_docker it pull -q "$IMAGE@$digest" >/dev/null
    engine_docker it tag "$IMAGE@$digest" "$IMAGE:stable"
    attempt by_hand scale_up --scale "pair=$(pairs)" --pull never
    exit_is 0
    attempt run tally run
    exit_is 0 1 4
    [[ $(digests_running) == "$digest" ]] || [[ $(digests_running) == "$(registry_offers)" ]] ||
        fail_because "neither the operator's image runs nor the registry's" "$LAST_OUTPUT"
}
do_stop() {
    attempt stop compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" stop -t 1
    exit_is 0
    attempt run tally run
    exit_is 0 1
    [[ -z $(service_ids it "$NAME") ]] || fail_because "what was stopped was started" "$LAST_OUTPUT"
    [[ $(status_of site .state) == absent ]] || fail_because "not absent: $(status_of site .state)"
    attempt start compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" start
    exit_is 0
}

# Memory, records and engine must tell the same.
agreement_complaints() {
    local id folder tag image digest
    id=$(jq -r '.services.site.last_deployment.id // empty' "$STATE/memory.json")
    if [[ -n $id ]]; then
        folder=$STATE/deployments/$id
        [[ -e $folder/record.json ]] || echo "memory's last deployment has no record: $id"
        [[ $(jq -r '.services[].to' "$folder/record.json") == *"$(jq -r .services.site.last_deployment.to "$STATE/memory.json")"* ]] ||
            echo "memory and the record of $id differ in what was deployed"
    fi
    [[ -z ${WAS_KILLED:-} && -z $id ]] || [[ $(status_of site '.last_deployment.id') == "$id" ]] ||
        echo "the status has another last deployment than memory: $id"
    while read -r tag image; do
        [[ -z $tag ]] || [[ $(engine_docker it image inspect -f '{{.Id}}' "$tag" 2>&1) == "$image" ]] || echo "memory keeps $tag, the engine does not"
    done < <(jq -r '.services[].kept[] | "\(.tag) \(.image_id)"' "$STATE/memory.json")
    digest=$(digests_running)
    case $(status_of site .state) in
    updated | current)
        [[ $(jq -r --arg reference "$IMAGE:stable" '.services.site.settled[$reference]' "$STATE/memory.json") == "$digest" ]] ||
            echo "$digest runs, but that is not what memory has as settled"
        ;;
    quarantined)
        jq -e --arg digest "$(registry_offers)" '.services.site.quarantined | any(.digest == $digest)' "$STATE/memory.json" >/dev/null ||
            echo "quarantined, but memory has no such digest"
        ;;
    esac
}

check_all() {
    local wrong
    tally_again
    exit_is 0 1 4
    all_is_well
    wrong=$(agreement_complaints)
    [[ -z $wrong ]] || fail_because "memory, records and engine do not agree:
$wrong"
    nothing_more_to_do
}

# The step in KIND, with its own data in $ROW.
do_step() {
    case $1 in
    good | bad) do_deploy "$1" ;;
    kill_* | sigterm_* | error_*) do_fault "${1#*_}" "${1%_*}" ;;
    flight_*) do_flight "${1#*_}" ;;
    *) "do_$1" ;;
    esac
}
random_step() {
    one_of good good bad kill_good kill_good kill_bad kill_bad flight_good flight_bad sigterm_good sigterm_bad \
        error_good error_bad scale by_hand stop
    kind=$PICKED
}
soak_step() { # KIND
    local start=$SECONDS failed=0
    ROW=$ETC/steps/$step
    row_folder "$ROW"
    STATE=$ETC/state STATUS=$ETC/status.json # the same for all steps
    crash_drop_in
    do_step "$1" >"$ROW/output" 2>&1
    # After an error of the last gate only time or an operator can say that it is good.
    CRASH_GOOD_STATES="updated current rolled_back quarantined pending"
    [[ $kind != *"error at reverify"* ]] || CRASH_GOOD_STATES+=" failed"
    (set -e && check_all) >>"$ROW/output" 2>&1 & # not as a condition: there -e would be of no effect
    wait $! || failed=1
    ((failed == 0)) || return 1
    printf 'soak: %3d %-60s %2d s  %s\n' "$step" "$kind" "$((SECONDS - start))" "$(status_of site '.state + ", " + .reason_code')"
    rm -rf "$ROW"
}

tallyman_setup
crash_site
RANDOM=$seed
for ((step = 0; step <= count; ++step)); do
    if ((step == 0)); then kind=good; else random_step; fi
    soak_step "$kind"
done
echo "soak: $count steps, seed $seed: no violation"
