#!/usr/bin/env bats
# An engine that answers nothing in some phase for longer than its calls may take, and then goes on with what it was asked.

load lib/parts
load lib/tallyman
load lib/crash

CRASH_REPLICAS="web=1 pair=1"

setup_file() { need_faulty && tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { crash_teardown; }
teardown_file() { parts_stop; }

@test "on the way forward" {
    crash_site
    for phase in protect pull tag verify; do row "engine hangs at $phase" row_engine_hangs good "$phase" 10; done
    row "engine hangs at recreate" row_engine_hangs good recreate 30 20s
    rows_end
}

@test "on the way back" {
    crash_site
    for phase in tidy retag reverify; do row "engine hangs at $phase" row_engine_hangs bad "$phase" 10; done
    row "engine hangs at restore" row_engine_hangs bad restore 30 20s
    rows_end
}
