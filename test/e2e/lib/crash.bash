# shellcheck shell=bash
# Crashes on purpose, and what must be true afterwards. A test of these is a table of rows:
#
#   crash_site                                    # web on $PORT and two replicas of pair, both of $IMAGE:stable
#   row "kill at pull:before" row_kill good pull:before
#   …
#   rows_end                                      # fails if a row did, and names it
#
# Every row deploys to that one project with a state folder of its own, $STATE. What a row leaves behind is what the
# next one finds, so a table also is a sequence of deployments; after a failed row the rest gets a new project.
# $ROW, the row's folder, holds all output; that of a failed one is kept.
#
# There are a hundred rows, and each looks at everything several times: this file starts as few programs as it can.
#
# $TALLYMAN_FAULTY is a tallyman of the tests: TALLYMAN_FAULT="PHASE:WHEN:PROGRAM…" has it call PROGRAM at that moment.

CRASH_REPLICAS="web=1 pair=2"
CRASH_GOOD_STATES="updated current rolled_back quarantined pending"
FAKETIME_LIBRARY=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1

need_faulty() {
    [[ -x ${TALLYMAN_FAULTY:-} ]] ||
        fail_because "TALLYMAN_FAULTY=${TALLYMAN_FAULTY:-} is no program: build it first, and name it"
}

# --- the project

# crash_site: a project that no other row has seen, on a good image. Sets NAME, IMAGE, PORT, SITE, ONE, TWO and BAD.
# CRASH_RESTART=always, set before, has the engine start its containers again after the engine's own end. CRASH_REPLICAS says how
# many there are of both: one of each where replicas are not the point, since each recreation costs a second of CPU.
crash_site() {
    CRASH_SITES=$((${CRASH_SITES:-0} + 1))
    NAME=t${BATS_TEST_NUMBER:-0}n$CRASH_SITES IMAGE=$HUB/team/t${BATS_TEST_NUMBER:-0}n$CRASH_SITES
    PORT=$((8000 + ${BATS_TEST_NUMBER:-0} * 20 + CRASH_SITES)) SITE=$ETC/$NAME
    mkdir "$SITE"
    ONE=$(new_image good "$NAME-one") && TWO=$(new_image good "$NAME-two") &&
        BAD=$(new_image bad "$NAME-bad" --cmd 'exit 1') && image_tag "$IMAGE:stable" "$ONE" >/dev/null || return 1
    site_up --scale "pair=${CRASH_REPLICAS##*=}" >"$SITE/up.out" 2>&1 <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
    restart: "${CRASH_RESTART:-no}"
    ports: ["127.0.0.1:$PORT:80"]
  pair:
    image: $IMAGE:stable
    restart: "${CRASH_RESTART:-no}"
YAML
}

# The containers of all projects of this test, in any state, and the networks: an engine has room for thirty.
crash_teardown() {
    local number project
    parts_note_result
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || return 0
    for ((number = 1; number <= ${CRASH_SITES:-0}; ++number)); do
        project=t${BATS_TEST_NUMBER:-0}n$number
        engine_docker it ps -aq --filter "label=com.docker.compose.project=$project" | xargs -r \
            timeout 60 "$(_engine_cli it)" -H "unix://$(engine_socket it)" rm -f >/dev/null
        engine_docker it network rm "${project}_default" >/dev/null
    done
}

# crash_drop_in [COMPOSE_LINE [HEALTH_LINE]]: the drop-in `site`, for both services. Unless told otherwise it names the plug-in
# of compose v2 itself, which spares two starts of `docker` a call. CRASH_GATE=TIME: for rows that wait for the end of the gate.
crash_drop_in() {
    local compose=${1:-}
    if [[ -z $compose ]]; then
        compose='timeout = "60s"' # for hangs only: a machine may be busy
        [[ $E2E_COMPOSE != v2 ]] || compose+="
command = [\"$TALLYMAN_PARTS/compose2/config/cli-plugins/docker-compose\"]"
    fi
    drop_in site <<TOML
image = "$IMAGE:stable"
[compose]
$compose
[health]
timeout = "${CRASH_GATE:-30s}"
settle  = "500ms"
http    = ["http://127.0.0.1:$PORT/"]
${2:-}
TOML
}

# new_image good|bad TEXT [option of image_push…]: pushed by digest only, prints that; $ETC/images remembers
# "IMAGE_ID DIGEST good|bad TEXT".
new_image() {
    local kind=$1 text=$2 digest id
    shift 2
    digest=$(image_push "$IMAGE" "$text" "$@") || return 1
    id=$(curl -sSf -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
        "http://$HUB/v2/${IMAGE#*/}/manifests/$digest" | jq -r .config.digest) || return 1
    echo "$id $digest $kind $text" >>"$ETC/images"
    echo "$digest"
}
# image_field ID|DIGEST digest|kind|text: nothing for an image that is none of ours
image_field() {
    local id digest kind text
    while read -r id digest kind text; do
        [[ $1 != "$id" && $1 != "$digest" ]] || { echo "${!2}"; return; }
    done <"$ETC/images"
}
# Engine, registry and files, as the engine's network sees them: one program, quick to start.
crash_world() { # COMMAND…, see there
    nsenter --net="/run/netns/$(engine_netns it)" "$E2E_SUPPORT/crash_world.py" "$(engine_socket it)" "$HUB" "$IMAGE" \
        "${CRASH_LABEL:-com.docker.compose.project}=$NAME" "$@"
}
registry_offers() { crash_world offers; }             # the digest of $IMAGE:stable
ids_running() { crash_world ids; }                    # of the project's containers
digests_running() { crash_world running "$ETC/images"; } # one a line

# --- invariants

# Everything that must be true once the last run has ended. CRASH_UNTOUCHED=1: no deployment began, so there need not be
# a record of one.
all_is_well() {
    complain "not well" "\"state\": \"$STATE\", \"status\": \"$STATUS\", \"good_states\": \"$CRASH_GOOD_STATES\",
        \"untouched\": ${CRASH_UNTOUCHED:-0},"
}
# What users notice: also true between a run that was told to stop and the next one.
service_is_good() { complain "the service is not good" ""; }
complain() { # WHAT MORE_OF_THE_WORLD
    local wrong separator=-
    [[ $E2E_COMPOSE == v2 ]] || separator=_
    wrong=$(crash_world complaints "{$2 \"name\": \"$NAME\", \"separator\": \"$separator\", \"port\": $PORT,
        \"replicas\": \"$CRASH_REPLICAS\", \"images\": \"$ETC/images\"}") || return 1
    [[ -z $wrong ]] || fail_because "$1:
$wrong"
}

# One more run changes nothing, unless it deploys what was still pending.
nothing_more_to_do() {
    local ids before offers
    ids=$(ids_running) before=$(digests_running) offers=$(registry_offers)
    attempt third tally run
    exit_is 0 1 4
    [[ $(ids_running) != "$ids" ]] || return 0
    [[ $before != "$offers" && $(image_field "$offers" kind) == good && $(digests_running) == "$offers" ]] ||
        fail_because "a run with nothing to do recreated containers" "$ROW/third.out"
}

# --- rows

# row NAME COMMAND…: COMMAND in a shell of its own that ends at the first error. Never fails: rows_end does.
row() {
    local name=$1 status=0 start=$SECONDS
    shift
    ((${#CRASH_FAILED[@]} < 6)) || { echo "row not run, too many have failed: $name" >&2; return 0; }
    ROW=$ETC/rows/${name//[^A-Za-z0-9]/-}
    row_folder "$ROW"
    (
        trap - ERR DEBUG # bats' own, for the test as a whole; that of DEBUG takes longer than the row itself
        set -e
        row_begin
        "$@"
    ) >"$ROW/output" 2>&1 </dev/null 3>&- &
    wait $! || status=$?
    row_end
    if ((status == 0)); then
        rm -rf "$ROW"
        echo "row ok, $((SECONDS - start)) s: $name" >&2
        return 0
    fi
    CRASH_FAILED+=("$name")
    printf 'row FAILED: %s (%s)\n' "$name" "$ROW" >&2
    tail -n 40 "$ROW/output" >&2
    crash_site
}
rows_end() {
    ((${#CRASH_FAILED[@]} == 0)) || fail_because "${#CRASH_FAILED[@]} rows failed:$(printf '\n  %s' "${CRASH_FAILED[@]}")"
}
CRASH_FAILED=()

row_folder() { # FOLDER
    STATE=$1/state STATUS=$1/status.json
    mkdir -p "$1" "$STATE" && chmod 700 "$STATE"
    # shellcheck disable=SC2016 # that shell's
    fault_program kill 'kill -KILL "$TALLYMAN_PID"'
    # shellcheck disable=SC2016
    fault_program sigterm 'kill -TERM "$TALLYMAN_PID"'
    fault_program error 'exit 1'
}
# One good image runs, and no tags are left of rows before. OLD is what runs, OTHER the other good one.
row_begin() {
    OLD=$(crash_world begin "$ETC/images")
    case $OLD in
    "$ONE") OTHER=$TWO ;;
    "$TWO") OTHER=$ONE ;;
    *) fail_because "the row before left this running: $OLD" || return 1 ;;
    esac
    crash_drop_in
}
# What a row may leave behind: programs that hang, mounts, no engine. What was in the mounts is kept for a look.
row_end() {
    local file pid
    ! mountpoint -q "$STATE" || cp -a "$STATE" "$ROW/state-as-it-was"
    [[ ! -e $ROW/stopped ]] || kill -CONT "$(cat "$ROW/stopped")"
    for file in "$ROW"/*.pid; do
        [[ ! -e $file ]] || while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done <"$file"
    done
    ! grep -qF " $ROW/" /proc/self/mountinfo ||
        awk -v dir="$ROW/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
    pid_of "$(engine_dir it)/dockerd.pid" >/dev/null || engine_start it "$E2E_ENGINE" "$E2E_STORE"
}

# offer good|bad: the registry gets something new
offer() {
    case $1 in
    good) NEW=$OTHER ;;
    bad) NEW=$BAD ;;
    esac
    crash_world tag "$NEW"
}

# attempt LABEL COMMAND…: its exit status is in EXIT, its output in $ROW/LABEL.out. What hangs is killed.
attempt() {
    local label=$1 watchdog
    shift
    local start=$SECONDS
    EXIT=0 LAST_OUTPUT=$ROW/$label.out
    (sleep 200 && pkill -KILL -f -- "--state $STATE ") >/dev/null 2>&1 &
    watchdog=$!
    "$@" >"$LAST_OUTPUT" 2>&1 || EXIT=$?
    pkill -P "$watchdog" || true # its sleep
    kill "$watchdog" 2>/dev/null || true
    wait "$watchdog" || true
    echo "$label: exit status $EXIT, $((SECONDS - start)) s"
}
exit_is() { # STATUS…
    [[ " $* " == *" $EXIT "* ]] || fail_because "exit status $EXIT, none of: $*" "$LAST_OUTPUT"
}

# fault_program NAME SCRIPT: a program for TALLYMAN_FAULT; it tells that it was called by $ROW/fired.NAME
fault_program() {
    printf '#!/bin/bash\necho "%s" >>"%s"\n%s\n' "\$TALLYMAN_PID" "$ROW/fired.$1" "$2" >"$ROW/$1"
    chmod 755 "$ROW/$1"
}
# faulty PHASE:WHEN:NAME…: a run of the faulty program; each fault must have happened
faulty() {
    # shellcheck disable=SC2034 # tally uses it
    local each faults=() TALLYMAN=$TALLYMAN_FAULTY
    for each; do faults+=("${each%:*}:$ROW/${each##*:}"); done
    local TALLY_ENV=("${TALLY_ENV[@]}" "TALLYMAN_FAULT=${faults[*]}")
    attempt faulty tally run
    for each; do has_fired "${each##*:}"; done
}
has_fired() { [[ -e $ROW/fired.$1 ]] || fail_because "the moment never came: $1" "$LAST_OUTPUT"; }

# tally_again: one more run, as soon as an orphan of the last one lets it
tally_again() {
    local end=$((SECONDS + 45))
    while :; do
        attempt again tally run
        ((EXIT == 3 && SECONDS < end)) || break
        sleep 0.2
    done
}
# The next runs, and all that must be true then
finish() {
    tally_again
    exit_is 0 1 4
    all_is_well
    [[ ${E2E_CRASH:-} == all ]] || return 0 # the soak looks at that, too
    nothing_more_to_do
    all_is_well
}

row_kill() { # good|bad PHASE:WHEN
    offer "$1"
    faulty "$2:kill"
    exit_is 137
    finish
}
row_error() { # good|bad PHASE:WHEN
    offer "$1"
    faulty "$2:error"
    exit_is 0 1 4
    # On the way forward it must find its way back by itself; on the way back that is the next run's.
    [[ $1 == bad ]] || service_is_good
    # Nothing but time or an operator can say that what failed its gate on the way back is good.
    [[ $2 != reverify:* ]] || CRASH_GOOD_STATES+=" failed"
    finish
}
row_stop() { # good|bad PHASE:WHEN
    offer "$1"
    faulty "$2:sigterm"
    exit_is 0 1 4
    jq -e '.services | length == 1' "$STATUS" >/dev/null || fail_because "no status file"
    service_is_good
    finish
}
# Journals cannot be written from that moment on. The lock is open for writing, so the whole folder cannot be
# mounted read-only: it is the folder of the deployments.
row_read_only() { # good|bad PHASE
    fault_program read_only \
        "mount --bind '$STATE/deployments' '$STATE/deployments' && mount -o remount,bind,ro '$STATE/deployments'"
    offer "$1"
    faulty "$2:before:read_only"
    exit_is 0 1 4
    ! touch "$STATE/deployments/file" 2>/dev/null || fail_because "it could be written all the time"
    service_is_good
    umount "$STATE/deployments"
    finish
}
row_full() { # good|bad PHASE
    mount -t tmpfs -o size=256k,mode=700 tmpfs "$STATE"
    fault_program full "cat /dev/zero >'$STATE/filler' 2>/dev/null; exit 0"
    offer "$1"
    faulty "$2:before:full"
    exit_is 0 1 4
    service_is_good
    rm "$STATE/filler"
    finish
}
row_engine_killed() { # good|bad PHASE
    fault_program engine "export PARTS=$PARTS; source '$E2E_LIB/parts.bash'; engine_kill it"
    offer "$1"
    faulty "$2:before:engine"
    exit_is 0 1 4
    engine_start it "$E2E_ENGINE" "$E2E_STORE"
    finish
}
# The engine answers nothing for SECONDS, which is longer than any call of it may take. The call that is left without an
# answer may be carried out later, when nobody waits for it any more.
row_engine_hangs() { # good|bad PHASE SECONDS [COMPOSE_TIMEOUT]
    local engine TALLY_ENV=("${TALLY_ENV[@]}" TALLYMAN_FAULT_PATIENCE=3)
    [[ -z ${4:-} ]] || crash_drop_in "timeout = \"$4\""
    engine=$(pid_of "$(engine_dir it)/dockerd.pid")
    echo "$engine" >"$ROW/stopped"
    fault_program hang "kill -STOP $engine; (sleep $3; kill -CONT $engine) </dev/null >/dev/null 2>&1 &"
    offer "$1"
    faulty "$2:before:hang"
    exit_is 0 1 4
    kill -CONT "$engine"
    finish
    service_is_good
}
row_clock_back() { # good|bad PHASE:WHEN
    [[ -e $FAKETIME_LIBRARY ]] || fail_because "$FAKETIME_LIBRARY is missing: $E2E_INSTALL"
    offer "$1"
    faulty "$2:kill"
    exit_is 137
    local TALLY_ENV=("LD_PRELOAD=$FAKETIME_LIBRARY" FAKETIME=-1d FAKETIME_DONT_FAKE_MONOTONIC=1)
    finish
}
# An error before anything was touched, and a crash while that is taken back.
row_abandon_killed() { # WHEN
    offer good
    faulty pull:before:error "abandon:$1:kill"
    exit_is 137
    finish
}

# --- compose in flight

# compose_trap EVENT tallyman|compose|both [FIRST_UP]: a compose command for the drop-in, which kills at the moment when the
# engine tells the project's first EVENT (create, die, destroy, rename, start) of call number FIRST_UP of `up`.
compose_trap() {
    local event=$1 whom=$2 number=${3:-1} real=(docker compose)
    [[ $E2E_COMPOSE == v2 ]] || real=(docker-compose)
    cat >"$ROW/compose" <<SCRIPT
#!/bin/bash
for argument; do [[ \$argument != up ]] || echo up >>"$ROW/ups"; done
[[ " \$* " == *" up "* && \$(wc -l <"$ROW/ups") == "$number" ]] || exec ${real[*]} "\$@"
tallyman=\$PPID
exec {events}< <(exec curl -sN --max-time 30 --unix-socket "$(engine_socket it)" -G http://docker/events \\
    --data-urlencode 'filters={"label":["com.docker.compose.project=$NAME"],"event":["$event"]}' \\
    --data-urlencode "since=\$(date +%s.%N)" 2>/dev/null)
watcher=\$!
setsid ${real[*]} "\$@" & # a process group of its own: docker and its plug-in
compose=\$!
if read -r -u "\$events" line; then
    case $whom in
    tallyman) kill -KILL "\$tallyman" ;;
    compose) kill -KILL -- "-\$compose" ;;
    both) kill -KILL -- "\$tallyman" "-\$compose" ;;
    esac
    touch "$ROW/fired.$event"
fi
kill "\$watcher"
exec {events}<&-
wait "\$compose"
SCRIPT
    chmod 755 "$ROW/compose"
    crash_drop_in "command = [\"$ROW/compose\"]"
}
row_in_flight() { # good|bad EVENT tallyman|compose|both [FIRST_UP]
    compose_trap "${@:2}"
    offer "$1"
    attempt first tally run
    if [[ $3 == compose ]]; then exit_is 0 1 4; else exit_is 137; fi
    wait_until "the trap of compose" "" test -e "$ROW/fired.$2"
    finish
}

# compose_hangs BEFORE_OR_AFTER: the first `up` never ends, and did nothing or everything before
compose_hangs() {
    local real=(docker compose)
    [[ $E2E_COMPOSE == v2 ]] || real=(docker-compose)
    cat >"$ROW/compose" <<SCRIPT
#!/bin/bash
[[ " \$* " == *" up "* && ! -e "$ROW/fired.hang" ]] || exec ${real[*]} "\$@"
[[ $1 == before ]] || ${real[*]} "\$@"
echo \$\$ >>"$ROW/hang.pid"
touch "$ROW/fired.hang"
exec sleep 1000
SCRIPT
    chmod 755 "$ROW/compose"
    crash_drop_in "command = [\"$ROW/compose\"]
timeout = \"20s\""
}
row_compose_hangs() { # before|after
    compose_hangs "$1"
    offer good
    attempt first tally run
    exit_is 0 1 4
    has_fired hang
    ! kill -0 "$(cat "$ROW/hang.pid")" 2>/dev/null || fail_because "compose still hangs"
    service_is_good
    crash_drop_in # the next run has all the time of the others
    finish
}
# row_health 'SHELL_LINE': a [health] command that meets the new image's answer with SHELL_LINE; the way back must follow
row_health() {
    offer good
    cat >"$ROW/health" <<SCRIPT
#!/bin/bash
[[ \$(/usr/bin/curl -s --max-time 2 http://127.0.0.1:$PORT/) == "$(image_field "$NEW" text)" ]] || exit 0
echo \$\$ >>"$ROW/health.pid"
touch "$ROW/fired.health"
$1
SCRIPT
    chmod 755 "$ROW/health"
    CRASH_GATE=8s crash_drop_in "" "command = [\"$ROW/health\"]"
    attempt first tally run
    exit_is 4
    has_fired health
    service_is_good
    [[ $(digests_running) == "$OLD" ]] || fail_because "it is not the old image that runs"
    finish
}
