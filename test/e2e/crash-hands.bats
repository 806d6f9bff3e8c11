#!/usr/bin/env bats
# rollback and deploy --to, cut off in a phase: finished or undone by the next run like any other deployment, and held
# where they were finished.

load lib/parts
load lib/tallyman
load lib/crash

CRASH_REPLICAS="web=1 pair=1"
# E2E_CRASH=all runs every row; CI those that differ from what other triggers have.
if [[ ${E2E_CRASH:-} == all ]]; then
    rollback=(tag:after recreate:before recreate:after verify:after committed:before committed:after)
    forward=(pull:after recreate:before recreate:after committed:before)
    back=(tidy:before restore:before reverify:after rolled_back:before)
else
    rollback=(recreate:before recreate:after committed:before committed:after)
    forward=(recreate:before recreate:after committed:before)
    back=(tidy:before restore:before rolled_back:before)
fi

setup_file() { need_faulty && tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { crash_teardown; }
teardown_file() { parts_stop; }

# faulty_order PHASE:WHEN:kill ARGUMENT…: as `faulty`, with another command
faulty_order() {
    # shellcheck disable=SC2034 # tally uses it
    local TALLYMAN=$TALLYMAN_FAULTY TALLY_ENV=("TALLYMAN_FAULT=${1%:*}:$ROW/${1##*:}") fault=${1##*:}
    shift
    attempt faulty tally "$@"
    has_fired "$fault"
}
# What ran before the row, and a history: OTHER was deployed by tallyman, over OLD.
with_history() {
    offer good
    attempt history tally run
    exit_is 0
}
# After a crash: all is well; what was ordered is held if it runs, and only then.
held_if_it_runs() { # DIGEST
    tally_again
    exit_is 0 1 4
    service_is_good
    # What was undone is as the registry has it, so only now the status has nothing more to tell of it.
    CRASH_GOOD_STATES+=" held"
    attempt third tally run
    exit_is 0
    all_is_well
    if [[ $(digests_running) == "$1" ]]; then
        [[ -e $STATE/holds/site.json ]] || fail_because "it runs what was ordered, and is not held"
    else
        [[ ! -e $STATE/holds/site.json ]] || fail_because "held, and does not run what was ordered: $(cat "$STATE/holds/site.json")"
    fi
}
row_rollback() { # PHASE:WHEN
    with_history
    faulty_order "$1:kill" rollback site
    exit_is 137
    held_if_it_runs "$OLD"
}
row_rollback_stopped() { # PHASE:WHEN
    with_history
    faulty_order "$1:sigterm" rollback site
    exit_is 0 1
    service_is_good
    held_if_it_runs "$OLD"
}
row_deploy_to() { # good|bad PHASE:WHEN
    local wanted=$OTHER
    [[ $1 == good ]] || wanted=$BAD
    image_tag "$IMAGE:stable" "$OLD" >/dev/null
    faulty_order "$2:kill" deploy site --to "$wanted"
    exit_is 137
    held_if_it_runs "$wanted"
}

@test "rollback, killed" {
    crash_site
    for moment in "${rollback[@]}"; do
        row "rollback killed at $moment" row_rollback "$moment"
    done
    rows_end
}

@test "rollback, told to stop" {
    crash_site
    for moment in recreate:before verify:before; do
        row "rollback stopped at $moment" row_rollback_stopped "$moment"
    done
    rows_end
}

@test "deploy --to, killed on the way forward" {
    crash_site
    for moment in "${forward[@]}"; do
        row "deploy --to killed at $moment" row_deploy_to good "$moment"
    done
    rows_end
}

@test "deploy --to something bad, killed on the way back" {
    crash_site
    for moment in "${back[@]}"; do
        row "deploy --to killed at $moment" row_deploy_to bad "$moment"
    done
    rows_end
}
