#!/usr/bin/env bats
# A deployment that is killed, told to stop, or fails in any phase on its way forward: what serves afterwards is one good image,
# whole, under its own names, and nothing is left over.

load lib/parts
load lib/tallyman
load lib/crash

setup_file() { need_faulty && tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { crash_teardown; }
teardown_file() { parts_stop; }

forward=(protect pull tag recreate verify committed)
# E2E_CRASH=all runs every row; CI leaves out those whose like it runs anyway.
if [[ ${E2E_CRASH:-} == all ]]; then
    moments=(before after) read_only=("${forward[@]}")
else
    moments=(before) read_only=(pull recreate committed)
fi
single="web=1 pair=1"

@test "killed in a phase on the way forward" {
    crash_site
    for phase in "${forward[@]}"; do
        for when in before after; do row "kill at $phase:$when" row_kill good "$phase:$when"; done
    done
    rows_end
}

@test "a phase on the way forward fails" {
    CRASH_REPLICAS=$single
    crash_site
    for phase in "${forward[@]}"; do
        for when in "${moments[@]}"; do row "error at $phase:$when" row_error good "$phase:$when"; done
    done
    rows_end
}

@test "told to stop in a phase on the way forward" {
    CRASH_REPLICAS=$single
    crash_site
    for phase in "${forward[@]}"; do
        for when in "${moments[@]}"; do row "stop at $phase:$when" row_stop good "$phase:$when"; done
    done
    rows_end
}

@test "the journal cannot be written from a phase on, or the disk is full" {
    CRASH_REPLICAS=$single
    crash_site
    for phase in "${read_only[@]}"; do row "read-only at $phase" row_read_only good "$phase"; done
    row "full at recreate" row_full good recreate
    rows_end
}

@test "killed while an error of the pull is taken back" {
    CRASH_REPLICAS=$single
    crash_site
    for when in before after; do row "kill at abandon:$when" row_abandon_killed "$when"; done
    rows_end
}

@test "killed, and then the clock is set back by a day" {
    crash_site
    row "clock back after recreate:after" row_clock_back good recreate:after
    rows_end
}

@test "the engine is killed, and comes back for the next run" {
    CRASH_RESTART=always # `unless-stopped` would not do: the next dockerd itself stops what it finds running
    crash_site
    for phase in pull recreate verify; do row "engine killed at $phase" row_engine_killed good "$phase"; done
    rows_end
}
