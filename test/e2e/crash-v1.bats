#!/usr/bin/env bats
# docker-compose 1.x on engine 20.10, killed while it is at work. Its order is another: stop, rename the old container,
# create, start, destroy the old one.

E2E_ENGINE=20.10 E2E_COMPOSE=v1
load lib/parts
load lib/tallyman
load lib/crash

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { crash_teardown; }
teardown_file() { parts_stop; }

@test "compose is killed at work, with tallyman, or tallyman alone" {
    crash_site
    for event in rename create start; do
        for whom in both tallyman; do
            row "kill $whom at compose's $event" row_in_flight good "$event" "$whom"
        done
    done
    rows_end
}

@test "compose is killed at work on the way back" {
    crash_site
    for event in rename start; do row "kill both at the second compose's $event" row_in_flight bad "$event" both 2; done
    rows_end
}
