#!/usr/bin/env bats
# The operator's hands: deploy, rollback, hold, release, beside a run and beside each other.
# shellcheck disable=SC2016 # what is in single quotes is for other shells

load lib/parts
load lib/tallyman
load lib/rollback

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() {
    hub_is_up
    tallyman_teardown
}
teardown_file() { parts_stop; }

state_is() { # STATE REASON_CODE
    _status_is web '.state + " " + .reason_code' "$1 $2"
}
runs() { # DIGEST
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$1" ]] || fail_because "web runs $(service_digests it "$NAME" web "$IMAGE"), not $1"
}
records() { find "$STATE/deployments" -name record.json | wc -l; }
short() { local hex=${1#sha256:} && echo "${hex:0:8}"; }
# web has run v1, then v2, both brought by tallyman but the first; sets OLD and TWO
with_history() {
    guarded_web
    TWO=$(image_push "$IMAGE:stable" v2 --label org.opencontainers.image.version=v2.0.0)
    expect_exit 0 tally run
    runs "$TWO"
}

@test "deploy: what only notifies is deployed now, and not twice" {
    guarded_web
    drop_in web <<<"image = \"$IMAGE:stable\"
mode = \"notify\""
    new=$(image_push "$IMAGE:stable" v2 --label org.opencontainers.image.version=v2.0.0)
    expect_exit 0 tally run
    says "tallyman deploy web"
    state_is pending notify_only
    expect_exit 0 tally deploy web
    says "web: $(short "$OLD") -> v2.0.0 $(short "$new")"
    runs "$new"
    state_is updated deployed
    jq -e '.trigger == "deploy" and .by == "root"' "$STATE"/deployments/*/record.json
    ids=$(service_ids it "$NAME")
    expect_exit 0 tally deploy web
    says "web: already runs v2.0.0 $(short "$new")"
    [[ $(service_ids it "$NAME") == "$ids" ]]
}

@test "history: what was deployed, by whom, its steps and its output" {
    expect_exit 0 tally history
    says "nothing was deployed yet"
    with_history
    TALLY_ENV=(SUDO_USER=anna)
    bad=$(image_push "$IMAGE:stable" v3 --label org.opencontainers.image.version=v3.0.0 --cmd 'echo no database; exit 1')
    expect_exit 4 tally deploy web
    says "tallyman history web"
    expect_exit 0 tally history
    says "web rolled_back deploy by anna v2.0.0 $(short "$TWO") -> v3.0.0 $(short "$bad")" "web updated manual $(short "$OLD") -> v2.0.0 $(short "$TWO")"
    expect_exit 0 tally history web --limit 1
    says "1 20" "rolled_back" "by deploy by anna" "image $IMAGE@$bad" "pull ${bad:7:12}" "recreate" "restore" "error" "folder $STATE/deployments/" "recreate-1.log"
    [[ $output != *updated* ]] || fail_because "--limit 1 shows two: $output"
    expect_exit 0 tally history web --json
    jq -e --arg bad "$bad" '.schema == 1 and (.deployments | length) == 2 and .deployments[0].services[0].to == $bad
        and .deployments[0].result == "rolled_back" and (.deployments[1].steps | map(.name) | index("health") and index("settle"))
        and (.deployments | all(.steps | all(.at and (.ms >= 0))))' <<<"$output"
    folder=$(jq -r '.deployments[0].folder' <<<"$output")
    [[ $folder == "$(status_of web .last_deployment.log)" ]]
    grep -rq "no database" "$folder"
    expect_exit 2 tally history wep
    says "no service wep" "did you mean web?"
}

@test "deploy --recreate: new containers of the same image" {
    guarded_web
    expect_exit 0 tally deploy web --recreate
    runs "$OLD"
    [[ $(service_ids it "$NAME") != "$BEFORE" ]] || fail_because "nothing was recreated"
    engine_serves it "http://127.0.0.1:$PORT/" v1
}

@test "deploy --to an older tag: held, left alone by the next run, deployed after its release" {
    guarded_web
    image_tag "$IMAGE:v1" "$OLD"
    new=$(image_push "$IMAGE:stable" v2)
    expect_exit 0 tally run
    TALLY_ENV=(SUDO_USER=anna)
    expect_exit 0 tally deploy web --to v1
    says "web: $(short "$new") -> $(short "$OLD")" "tallyman release web"
    runs "$OLD"
    engine_serves it "http://127.0.0.1:$PORT/" v1
    ids=$(service_ids it "$NAME")
    expect_exit 0 tally run
    state_is held held
    _status_is web '.hold.by + ": " + .hold.reason' "anna (deploy --to): deployed $(short "$OLD")"
    _status_is web '.update_available' true
    [[ $(service_ids it "$NAME") == "$ids" ]]
    expect_exit 1 tally deploy web
    says "web is held by anna (deploy --to) since 20" "tallyman release web"
    expect_exit 0 tally release web
    expect_exit 0 tally run
    state_is updated deployed
    runs "$new"
    _status_is web '.hold' null
    expect_exit 1 tally deploy web --to v9
    expect_exit 1 tally deploy web --to "sha256:$(printf '%064d' 7)"
    says "no such digest"
    runs "$new"
}

@test "rollback with the registry gone: from this host" {
    with_history
    registry_stop hub
    expect_exit 0 tally rollback web
    says "is on this host" "web: v2.0.0 $(short "$TWO") -> $(short "$OLD")"
    runs "$OLD"
    engine_serves it "http://127.0.0.1:$PORT/" v1
    _status_is web '.hold.by' "root (rollback)"
    expect_exit 1 tally rollback web
    says "nothing to roll back to"
    runs "$OLD"
    registry_start hub
    expect_exit 0 tally run
    state_is held held
    runs "$OLD"
}

@test "rollback --to: a digest, its beginning, the N-th last deployment" {
    with_history
    three=$(image_push "$IMAGE:stable" v3)
    expect_exit 0 tally run
    expect_exit 0 tally rollback web --to 2
    runs "$TWO"
    expect_exit 0 tally rollback web --to "$OLD"
    runs "$OLD"
    expect_exit 0 tally rollback web --to "$(short "$three")"
    runs "$three"
    expect_exit 1 tally rollback web --to 77
    says "nothing to roll back to"
    # From the registry, where nothing of it is here.
    four=$(image_push "$IMAGE" v4)
    expect_exit 0 tally rollback web --to "$four"
    runs "$four"
    engine_serves it "http://127.0.0.1:$PORT/" v4
}

@test "rollback to what is bad: what ran runs again, and nothing is held" {
    guarded_web
    bad=$(image_push "$IMAGE" v2 --cmd 'exit 1')
    expect_exit 4 tally rollback web --to "$bad"
    says "ROLLED BACK" "web: $(short "$OLD") runs again"
    runs "$OLD"
    [[ ! -e $STATE/holds/web.json ]]
}

@test "a quarantined digest is refused, and tried once more if somebody says so" {
    guarded_web
    bad=$(image_push "$IMAGE:stable" v2 --cmd "sleep 1; [ -e /www/good ] || exit 1")
    expect_exit 4 tally run
    expect_exit 1 tally deploy web
    says quarantined "--retry-quarantined"
    runs "$OLD"
    expect_exit 4 tally deploy web --retry-quarantined
    says "ROLLED BACK"
    _status_is web '.quarantined | join(" ")' "$bad"
    runs "$OLD"
}

@test "hold and release beside a run, which the hold then reaches" {
    guarded_web
    image_push "$IMAGE:stable" v2 >/dev/null
    mkdir -m 700 "$STATE"
    exec 9>>"$STATE/lock"
    flock 9
    expect_exit 0 tally hold web --reason "exam week" --until 2h
    expect_exit 3 tally run
    expect_exit 3 tally deploy web
    says "another run is at work"
    exec 9>&-
    expect_exit 0 tally run
    state_is held held
    says "1 held"
    expect_exit 0 tally status
    says "exam week"
    [[ $(service_ids it "$NAME") == "$BEFORE" ]]
    echo '{' >"$STATE/holds/web.json"
    expect_exit 1 tally run
    state_is unknown state_error
    [[ $(service_ids it "$NAME") == "$BEFORE" ]]
    expect_exit 0 tally release web
    expect_exit 0 tally run
    state_is updated deployed
}

@test "after: what comes after one that was rolled back is left alone, and deployed once that is well; a circle is an error" {
    db=$HUB/team/$NAME-db
    image_push "$IMAGE:stable" web1 >/dev/null
    image_push "$db:stable" db1 >/dev/null
    site_up <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
  db:
    image: $db:stable
YAML
    drop_in web <<<"image = \"$IMAGE:stable\"
after = [\"db\"]"
    drop_in db <<<"image = \"$db:stable\""
    ids=$(service_ids it "$NAME" web)
    image_push "$IMAGE:stable" web2 >/dev/null
    image_push "$db:stable" db2 --cmd 'exit 1' >/dev/null
    expect_exit 4 tally run
    _status_is db .state rolled_back
    state_is pending predecessor
    says "web: pending: " "1 rolled_back (db)"
    [[ $(service_ids it "$NAME" web) == "$ids" ]] || fail_because "web was recreated before db was well"

    image_push "$db:stable" db3 >/dev/null
    expect_exit 0 tally run
    _status_is db .state updated
    state_is updated deployed
    [[ $(started_at "$(service_ids it "$NAME" db)") < $(started_at "$(service_ids it "$NAME" web)") ]] ||
        fail_because "web was recreated before db"

    drop_in db <<<"image = \"$db:stable\"
after = [\"web\"]"
    expect_exit 1 tally validate
    says "each waits for the next one: db -> web -> db"
}

@test "no such service: the nearest name, for every command" {
    guarded_web
    for command in deploy rollback hold release; do
        expect_exit 2 tally "$command" wbe
        says "no service wbe" "did you mean web?"
    done
}

@test "deploy --wait: begins when the run that is at work has ended" {
    guarded_web
    printf '#!/bin/bash\n[[ -e %s/go ]]\n' "$ETC" >"$ETC/probe"
    chmod 755 "$ETC/probe"
    TIMEOUT=60s guard "command = [\"$ETC/probe\"]"
    new=$(image_push "$IMAGE:stable" v2)
    tally run >"$ETC/first" 2>&1 3>&- &
    first=$!
    wait_until "the first run gets to its gate" "$ETC/first" grep -q recreate "$ETC/first"
    expect_exit 3 tally deploy web
    says "another run is at work (pid " "since 20"
    expect_exit 3 tally deploy web --wait 300ms
    says "waiting for another run (pid "
    tally deploy web --wait 5m >"$ETC/second" 2>&1 3>&- &
    second=$!
    wait_until "the second waits" "$ETC/second" grep -q "waiting for another run" "$ETC/second"
    touch "$ETC/go"
    wait "$first"
    wait "$second"
    grep -q "web: already runs $(short "$new")" "$ETC/second"
    [[ $(records) -eq 1 ]]
}

@test "a stop ends the waiting" {
    guarded_web
    mkdir -m 700 "$STATE"
    flock "$STATE/lock" sleep 1000 3>&- &
    holder=$!
    wait_until "the lock is held" "" bash -c "! flock -n '$STATE/lock' true"
    tally deploy web --wait 10m >"$ETC/out" 2>&1 3>&- &
    waiting=$!
    wait_until "it waits" "$ETC/out" grep -q "waiting for another run" "$ETC/out"
    pkill -TERM -P "$waiting"
    status=0
    wait "$waiting" || status=$?
    pkill -P "$holder"
    kill "$holder" || true
    [[ $status -eq 3 ]] || fail_because "exit status $status" "$ETC/out"
    grep -q "told to stop" "$ETC/out"
}

@test "hold, release and deploy from several shells, 100 times: all is whole, the last hold counts" {
    guarded_web
    new=$(image_push "$IMAGE:stable" v2)
    shell() { # NUMBER
        local i command wanted status
        for ((i = 0; i < 25; ++i)); do
            case $(((i + $1) % 5)) in
            3) wanted="0" command=(release web) ;;
            4) wanted="0 1 3" command=(deploy web) ;;
            *) wanted="0" command=(hold web --reason "shell $1, time $i") ;;
            esac
            status=0
            tally "${command[@]}" >>"$ETC/shell.$1" 2>&1 || status=$?
            [[ " $wanted " == *" $status "* ]] || echo "shell $1, ${command[*]}: exit status $status" >>"$ETC/wrong"
        done
    }
    for number in 1 2 3 4; do shell "$number" 3>&- & done
    wait
    [[ ! -e $ETC/wrong ]] || fail_because "$(cat "$ETC/wrong")" "$ETC/shell.1"
    expect_exit 0 tally hold web --reason "the last word"
    jq -e '.schema == 1 and .reason == "the last word"' "$STATE/holds/web.json"
    [[ $(find "$STATE/holds" -type f | wc -l) -eq 2 ]] || fail_because "$(ls -A "$STATE/holds")"
    expect_exit 0 tally run
    state_is held held
    _status_is web '.hold.reason' "the last word"
    # Whether one got through between two holds or none: once at most.
    [[ $(records) -le 1 ]] || fail_because "$(records) deployments"
    if [[ $(records) -eq 1 ]]; then runs "$new"; else runs "$OLD"; fi
    jq -e . "$STATE/memory.json" "$STATUS" >/dev/null
    expect_exit 0 tally release web
    expect_exit 0 tally deploy web
    runs "$new"
    [[ $(records) -eq 1 ]]
    [[ $(container_names "$NAME") == "$(canonical "$NAME" web 1)" ]]
}

@test "Ctrl-C at a terminal while compose is at work: it is finished, not cut" {
    guarded_web
    compose_wrapper : "touch '$ETC/at-work'; sleep 1; echo survived >>'$ETC/survived'"
    cat >>"$ETC/conf.d/web.toml" <<<"[compose]
command = [\"$ETC/compose\"]"
    new=$(image_push "$IMAGE:stable" v2)
    cat >"$ETC/terminal.py" <<'PYTHON'
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
typed = False
while True:
    if not typed and os.path.exists(sys.argv[1]):
        os.write(terminal, b"\x03")  # Ctrl-C, to all of the foreground
        typed = True
    if not select.select([terminal], [], [], 0.05)[0]:
        continue
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if typed else 99)
PYTHON
    expect_exit 0 tally_at_terminal deploy web
    [[ -e $ETC/survived ]] || fail_because "compose was cut: $output"
    runs "$new"
    engine_serves it "http://127.0.0.1:$PORT/" v2
    [[ -z $(find "$STATE/deployments" -name journal.json) ]]
    state_is updated deployed
}
tally_at_terminal() {
    engine_run it "$E2E_COMPOSE" TERM=xterm python3 "$ETC/terminal.py" "$ETC/at-work" "$TALLYMAN" --config "$ETC" --state "$STATE" \
        --status-file "$STATUS" "$@"
}
