# shellcheck shell=bash
# Real parts for the end-to-end tests. A bats file says
#
#   load lib/parts
#   setup_file()    { parts_init; registry_start hub; engine_start e20 20.10; … }
#   teardown()      { parts_note_result; }
#   teardown_file() { parts_stop; }
#
# Everything lives in one folder, $PARTS, and all knowledge of what runs is in files there, so that any process
# of the test (bats forks for each test) can use and stop any part.

E2E_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # the other files use it
E2E_SUPPORT=$(cd "$E2E_LIB/../../support" && pwd)
TALLYMAN_PARTS=${TALLYMAN_PARTS:-/var/cache/tallyman-test} # where packaging/install-deps.sh unpacks
E2E_DEADLINE=${E2E_DEADLINE:-60}                           # seconds; generous: only a hang gets there
E2E_INSTALL="run packaging/install-deps.sh test as root"

fail_because() { # fail_because MESSAGE [LOG_FILE]
    printf 'FAILED: %s\n' "$1" >&2
    if [[ -n ${2:-} ]]; then
        printf -- '--- the end of %s\n' "$2" >&2
        tail -n 25 "$2" >&2 || true
    fi
    return 1
}

# wait_until WHAT LOG_FILE COMMAND…: polls; the deadline is for hangs only. LOG_FILE may be "".
wait_until() {
    local what=$1 log=$2 end=$((SECONDS + E2E_DEADLINE))
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || {
            fail_because "gave up after $E2E_DEADLINE s: $what" "$log"
            return 1
        }
        sleep 0.1
    done
}

need_program() { # need_program PATH…
    local program
    for program; do
        [[ -x $program ]] || {
            fail_because "$program is missing: $E2E_INSTALL"
            return 1
        }
    done
}

# parts_init: makes $PARTS. Short, because unix socket paths (108 bytes) are made below it.
parts_init() {
    [[ $EUID -eq 0 ]] || fail_because "the end-to-end tests need root" || return 1
    need_program /usr/sbin/ip /usr/bin/nsenter /usr/bin/socat /usr/bin/curl /usr/bin/jq /usr/bin/flock \
        /usr/bin/python3 /usr/bin/openssl /bin/busybox || return 1
    PARTS=$(mktemp -d "${TMPDIR:-/tmp}/tme2e-XXXXXX")
    export PARTS
    mkdir "$PARTS"/{engine,registry,bridge,ca}
    # The one process that outlives every single test, if there is one: parts_sweep asks whether it still lives.
    echo "${BATS_ROOT_PID:-$PPID}" >"$PARTS/owner"
}

# parts_note_result: call it in teardown(), so that a failed test's folder is kept.
parts_note_result() {
    [[ -n ${BATS_TEST_COMPLETED:-} || -n ${BATS_TEST_SKIPPED:-} ]] || echo "${BATS_TEST_DESCRIPTION:-?}" >>"$PARTS/failed"
}

# parts_stop: stops all parts below $PARTS, and removes the folder unless a test failed.
parts_stop() {
    [[ -n ${PARTS:-} && -d $PARTS ]] || return 0
    local each tell
    ( # a shell of its own, whose only children are these: `wait` must not wait for the daemons
        for each in "$PARTS"/engine/*/; do [[ ! -d $each ]] || engine_stop "$(basename "$each")" & done
        wait
        for each in "$PARTS"/registry/*/; do [[ ! -d $each ]] || registry_stop "$(basename "$each")" & done
        wait
    )
    if [[ -e $PARTS/failed || -n ${E2E_KEEP:-} ]]; then
        if [[ -n ${BATS_ROOT_PID:-} ]]; then exec {tell}>&3; else exec {tell}>&2; fi
        echo "# kept for a look: $PARTS" >&"$tell"
    else
        rm -rf "$PARTS"
    fi
}

# parts_sweep: stops what test runs left behind that were killed themselves.
parts_sweep() {
    local folder
    for folder in "${TMPDIR:-/tmp}"/tme2e-??????/; do
        [[ -e $folder/owner ]] || continue
        kill -0 "$(cat "$folder/owner")" 2>/dev/null || PARTS=${folder%/} parts_stop
    done
}

# start_daemon FOLDER NAME COMMAND…: in a session of its own, pid in FOLDER/NAME.pid, output in FOLDER/NAME.log.
# Descriptor 3 is bats' own: whoever keeps it open keeps bats waiting.
start_daemon() {
    local folder=$1 name=$2
    shift 2
    setsid "$@" >>"$folder/$name.log" 2>&1 </dev/null 3>&- 4>&- &
    echo $! >"$folder/$name.pid"
    disown # or bash tells of its end
}

# The pid in FILE, if that process still is one of ours: its arguments name our folder.
pid_of() { # pid_of PID_FILE
    local pid
    pid=$(cat "$1" 2>/dev/null) && [[ -n $pid ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$PARTS/" || return 1
    echo "$pid"
}

is_gone() {
    local state=Z
    read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" || true
    [[ $state == Z ]]
} 2>/dev/null

# stop_daemon [-SIGNAL] PID_FILE…: signals each with its whole process group (socat forks), then waits for them all;
# SIGKILL after 20 seconds.
stop_daemon() {
    local signal=-TERM file pid pids=() end=$((SECONDS + 20))
    [[ $1 != -* ]] || { signal=$1 && shift; }
    for file; do
        pid=$(pid_of "$file") || continue
        kill "$signal" -- "-$pid" 2>/dev/null || kill "$signal" "$pid" 2>/dev/null || continue
        pids+=("$pid")
    done
    for pid in "${pids[@]}"; do
        until is_gone "$pid"; do
            ((SECONDS < end)) || kill -KILL -- "-$pid" 2>/dev/null || true
            sleep 0.05
        done
    done
    rm -f "$@"
}

# free_port: prints a port that nobody listens on and that no other caller of this machine was given: a counter
# under a lock, in a range that the kernel never hands out by itself.
free_port() {
    local port file=${E2E_PORT_FILE:-/run/lock/tallyman-test-port}
    (
        flock 8
        port=$(cat "$file" 2>/dev/null) || port=0
        while :; do
            port=$((port + 1))
            ((port >= 20000 && port < 30000)) || port=20000
            [[ -n $(ss -Htln "sport = :$port") ]] || break
        done
        echo "$port" >"$file"
        echo "$port"
    ) 8>>"$file.lock"
}

is_listening() { [[ -n $(ss -Htln "sport = :$1") ]]; }
