#!/usr/bin/env bats
# The crash matrix with a script instead of compose, and a hook: killed in any phase, forward and back, and in the middle of the script.

load lib/parts
load lib/tallyman
load lib/crash

setup_file() { need_faulty && tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { script_teardown; }
teardown_file() { parts_stop; }

# --- a project of lib/crash whose containers a script runs

CRASH_REPLICAS="web=1 pair=1" CRASH_LABEL=crash

script_site() {
    CRASH_SITES=$((${CRASH_SITES:-0} + 1))
    NAME=t${BATS_TEST_NUMBER}n$CRASH_SITES IMAGE=$HUB/team/t${BATS_TEST_NUMBER}n$CRASH_SITES
    PORT=$((8000 + BATS_TEST_NUMBER * 20 + CRASH_SITES)) SITE=$ETC/$NAME
    mkdir "$SITE"
    ONE=$(new_image good "$NAME-one") && TWO=$(new_image good "$NAME-two") &&
        BAD=$(new_image bad "$NAME-bad" --cmd 'exit 1') && image_tag "$IMAGE:stable" "$ONE" >/dev/null || return 1
    start_script
    engine_docker it pull -q "$IMAGE:stable" >"$SITE/up.out" &&
        engine_run it "$E2E_COMPOSE" TALLYMAN_IMAGE="$IMAGE:stable" "$SITE/start.sh" >>"$SITE/up.out"
}
crash_site() { script_site; }

# start_script [BETWEEN]: a snippet between the removal and the first run
start_script() {
    cat >"$SITE/start.sh" <<SCRIPT
#!/bin/bash -e
[[ -z \${TALLYMAN_DEPLOYMENT:-} ]] || echo >>"$ETC/calls"
docker rm -f "$NAME-web-1" "$NAME-pair-1" >/dev/null 2>&1 || true
${1:-}
docker run -d --name "$NAME-web-1" --label "crash=$NAME" -p "127.0.0.1:$PORT:80" "\$TALLYMAN_IMAGE"
docker run -d --name "$NAME-pair-1" --label "crash=$NAME" "\$TALLYMAN_IMAGE"
SCRIPT
    chmod 755 "$SITE/start.sh"
}
crash_drop_in() { # [TIMEOUT]: of the script; by default for hangs only, a machine may be busy
    : >"$ETC/calls"
    start_script
    drop_in site <<TOML
image = "$IMAGE:stable"
[redeploy]
command   = ["./start.sh"]
directory = "$SITE"
timeout   = "${1:-60s}"
[hooks]
before = ["/bin/true"]
after  = ["$ETC/after"]
[health]
timeout = "30s"
settle  = "500ms"
http    = ["http://127.0.0.1:$PORT/"]
TOML
    # shellcheck disable=SC2016 # that shell's
    printf '#!/bin/bash\necho "$TALLYMAN_DEPLOYMENT" >>"%s"\n' "$ROW/after" >"$ETC/after"
    chmod 755 "$ETC/after"
}
script_teardown() {
    local number
    parts_note_result
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || return 0
    for ((number = 1; number <= ${CRASH_SITES:-0}; ++number)); do
        engine_docker it ps -aq --filter "label=crash=t${BATS_TEST_NUMBER}n$number" | xargs -r \
            timeout 60 "$(_engine_cli it)" -H "unix://$(engine_socket it)" rm -f >/dev/null
    done
}

# No deployment's `after` ran twice.
row_script_kill() { # good|bad PHASE:WHEN
    row_kill "$@"
    [[ ! -e $ROW/after || -z $(sort "$ROW/after" | uniq -d) ]] || fail_because "after ran twice: $(<"$ROW/after")"
}
# Killed in call number CALL of the script, after it has removed its containers and before it runs others
row_script_in_flight() { # good|bad tallyman|script|both CALL
    local whom
    case $2 in
    tallyman) whom="\$PPID" ;;
    script) whom="\$\$" ;;
    both) whom="\$PPID \$\$" ;;
    esac
    start_script "[[ \$(wc -l <$ETC/calls) != $3 ]] || { touch $ROW/fired.script; kill -KILL $whom; sleep 0.5; }"
    offer "$1"
    attempt first tally run
    if [[ $2 == script ]]; then exit_is 0 1 4; else exit_is 137; fi
    has_fired script
    finish
}
row_script_hangs() {
    crash_drop_in 30s
    start_script "[[ -e $ROW/fired.hang ]] || { echo \$\$ >>$ROW/hang.pid; touch $ROW/fired.hang; exec sleep 1000; }"
    offer good
    attempt first tally run
    exit_is 4
    has_fired hang
    is_gone "$(cat "$ROW/hang.pid")" || fail_because "the script still hangs"
    service_is_good
    finish
}

# E2E_CRASH=all runs every row; CI leaves out those whose like it runs anyway.
if [[ ${E2E_CRASH:-} == all ]]; then moments=(before after); else moments=(before); fi

@test "killed in a phase on the way forward" {
    crash_site
    for phase in protect pull hook tag recreate verify committed; do
        for when in "${moments[@]}"; do row "kill at $phase:$when" row_script_kill good "$phase:$when"; done
    done
    row "kill after recreate" row_script_kill good recreate:after
    rows_end
}

@test "killed in a phase on the way back" {
    crash_site
    for phase in tidy retag restore reverify rolled_back; do
        for when in "${moments[@]}"; do row "kill at $phase:$when" row_script_kill bad "$phase:$when"; done
    done
    row "kill after restore" row_script_kill bad restore:after
    rows_end
}

@test "a phase fails, or is told to stop" {
    crash_site
    for when in "${moments[@]}"; do
        for phase in hook recreate verify; do row "error at $phase:$when" row_error good "$phase:$when"; done
        row "error at restore:$when" row_error bad "restore:$when"
        for phase in hook recreate; do row "stop at $phase:$when" row_stop good "$phase:$when"; done
    done
    rows_end
}

@test "killed in the middle of the script" {
    crash_site
    for whom in both tallyman script; do row "kill $whom in the script" row_script_in_flight good "$whom" 1; done
    row "kill both in the script on the way back" row_script_in_flight bad both 2
    row "the script hangs" row_script_hangs
    rows_end
}
