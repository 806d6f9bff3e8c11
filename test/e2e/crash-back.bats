#!/usr/bin/env bats
# The way back from an image that does not run, cut off or failing in any phase; and compose cut off while it is at work.

load lib/parts
load lib/tallyman
load lib/crash

setup_file() { need_faulty && tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { crash_teardown; }
teardown_file() { parts_stop; }

back=(tidy retag restore reverify rolled_back)
# E2E_CRASH=all runs every row; CI leaves out those whose like it runs anyway.
if [[ ${E2E_CRASH:-} == all ]]; then
    moments=(before after) whoms=(both tallyman compose) read_only=("${back[@]}")
else
    moments=(before) whoms=(both) read_only=(tidy restore rolled_back)
fi
single="web=1 pair=1"

@test "killed in a phase on the way back" {
    crash_site
    for phase in "${back[@]}"; do
        for when in before after; do row "kill at $phase:$when" row_kill bad "$phase:$when"; done
    done
    rows_end
}

@test "a phase on the way back fails" {
    CRASH_REPLICAS=$single
    crash_site
    for phase in "${back[@]}"; do
        for when in "${moments[@]}"; do row "error at $phase:$when" row_error bad "$phase:$when"; done
    done
    rows_end
}

@test "told to stop in a phase on the way back" {
    CRASH_REPLICAS=$single
    crash_site
    for phase in "${back[@]}"; do
        for when in "${moments[@]}"; do row "stop at $phase:$when" row_stop bad "$phase:$when"; done
    done
    rows_end
}

@test "the journal cannot be written on the way back: it goes on" {
    CRASH_REPLICAS=$single
    crash_site
    for phase in "${read_only[@]}"; do row "read-only at $phase" row_read_only bad "$phase"; done
    row "full at tidy" row_full bad tidy
    rows_end
}

@test "compose is killed at work, with tallyman, without it, or tallyman alone" {
    crash_site
    for event in create die destroy rename start; do
        for whom in "${whoms[@]}"; do
            row "kill $whom at compose's $event" row_in_flight good "$event" "$whom"
        done
    done
    for whom in tallyman compose; do row "kill $whom alone" row_in_flight good destroy "$whom"; done
    rows_end
}

@test "compose is killed at work on the way back" {
    crash_site
    for event in create destroy start; do
        row "kill both at the second compose's $event" row_in_flight bad "$event" both 2
    done
    rows_end
}

@test "compose hangs, and is stopped after its timeout" {
    CRASH_REPLICAS=$single
    crash_site
    for when in before after; do row "compose hangs $when its work" row_compose_hangs "$when"; done
    rows_end
}

@test "a health command says no, or hangs: the old image comes back" {
    CRASH_REPLICAS=$single
    crash_site
    row "health command fails" row_health "exit 1"
    row "health command hangs" row_health "exec sleep 1000"
    rows_end
}
