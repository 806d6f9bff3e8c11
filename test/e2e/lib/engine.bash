# shellcheck shell=bash
# Private Docker engines, each in a network namespace of its own: two daemons in one would delete each other's bridge.
# What has to reach their containers' published ports runs in that namespace too: engine_run, engine_curl.

engine_dir() { echo "$PARTS/engine/$1"; }
engine_socket() { echo "$PARTS/engine/$1/docker.sock"; }
engine_netns() { echo "$(basename "$PARTS")-$1"; }

# engine_start NAME 20.10|26.1|podman [overlay2|containerd]: `containerd` is 26.1's containerd image store; of podman see
# podman.bash. All registries of this test, started before or after, are 127.0.0.1:PORT in there too.
# Started again after engine_stop --keep, it has its old images and containers. ENGINE_OPTIONS=(…) are more options of dockerd.
engine_start() {
    local name=$1 version=$2 store=${3:-overlay2} dir netns each
    dir=$(engine_dir "$name") netns=$(engine_netns "$name")
    mkdir -p "$dir"/{data,exec,home}
    ((${#dir} < 60)) || fail_because "unix sockets need a shorter path than $dir: set TMPDIR to a short one" || return 1
    echo "$version" >"$dir/version"
    echo "$store" >"$dir/store"
    [[ -e /run/netns/$netns ]] || ip netns add "$netns" || return 1
    ip -n "$netns" link set lo up
    if [[ $version == podman ]]; then _podman_start "$name"; else _dockerd_start "$name" "$version" "$store"; fi || return 1
    for each in "$PARTS"/registry/*/port; do
        [[ ! -e $each ]] || registry_reach "$name" "$(basename "$(dirname "$each")")" || return 1
    done
    wait_until "engine $name ($version, $store)" "$dir/dockerd.log" \
        curl -sf --unix-socket "$dir/docker.sock" http://docker/_ping
}
_dockerd_start() { # NAME VERSION STORE
    local name=$1 version=$2 store=$3 dir path
    dir=$(engine_dir "$name")
    path=$(_engine_path "$version") || return 1
    case $version-$store in
    20.10-overlay2) echo "{\"log-level\": \"warn\", \"deprecated-key-path\": \"$dir/key.json\"}" ;; # else it writes to /etc
    26.1-overlay2) echo '{"log-level": "warn"}' ;;
    26.1-containerd) echo '{"log-level": "warn", "features": {"containerd-snapshotter": true}}' ;;
    *) fail_because "engine $version has no image store '$store'" || return 1 ;;
    esac >"$dir/daemon.json"
    rm -f "$dir/docker.pid" # of one that was killed: its number may be somebody else's by now
    # --config-file: this machine's own daemon.json is none of our business
    PATH=$path SSL_CERT_DIR=$PARTS/ca start_daemon "$dir" dockerd nsenter --net="/run/netns/$(engine_netns "$name")" \
        dockerd --host="unix://$dir/docker.sock" \
        --config-file="$dir/daemon.json" --data-root="$dir/data" --exec-root="$dir/exec" --pidfile="$dir/docker.pid" \
        --insecure-registry=127.0.0.0/8 "${ENGINE_OPTIONS[@]}"
}

# engine_stop NAME [--keep]: containers, daemon, mounts, namespace; --keep leaves containers and images for engine_start.
engine_stop() {
    local name=$1 dir netns mount pid
    dir=$(engine_dir "$name") netns=$(engine_netns "$name")
    if [[ $(cat "$dir/version" 2>/dev/null) == podman ]]; then
        _podman_stop "$name" "${2:-}"
    elif pid_of "$dir/dockerd.pid" >/dev/null && [[ -z ${2:-} ]]; then
        engine_docker "$name" ps -aq 2>/dev/null | xargs -r -n 50 timeout 60 "$(_engine_cli "$name")" \
            -H "unix://$dir/docker.sock" rm -f >/dev/null 2>&1 || true
    fi
    stop_daemon "$dir/dockerd.pid"
    # Where dockerd itself was killed, its containerd, the shims and their containers go on by themselves.
    pgrep -f -- "$dir/exec/containerd" | while read -r pid; do
        pkill -KILL -P "$pid" || true
        kill -KILL "$pid" 2>/dev/null || true
    done
    stop_daemon "$PARTS"/bridge/"$name"-*.pid
    # Deepest first: dockerd's namespaces below exec/netns, overlays of what was running below data.
    awk -v dir="$dir/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
        umount -l "$mount" || true
    done
    [[ ! -e /run/netns/$netns ]] || ip netns del "$netns"
    [[ -n ${2:-} || -e $PARTS/failed ]] || rm -rf "$dir"
}

# engine_kill NAME: dockerd gets SIGKILL; engine_start starts it again
engine_kill() { stop_daemon -KILL "$(engine_dir "$1")/dockerd.pid"; }

# port_reach ENGINE PORT: what listens on 127.0.0.1:PORT here is reachable there in the engine's namespace too. While
# nobody listens here, a connection there is closed at once rather than refused.
registry_reach() { # ENGINE REGISTRY
    local port
    for port in $(_registry_ports "$2"); do port_reach "$1" "$port" || return 1; done
}
port_reach() {
    local name=$1 port=$2 netns socket
    netns=$(engine_netns "$name") socket=$PARTS/bridge/$1-$2.sock
    [[ ! -e $PARTS/bridge/$name-$port-in.pid ]] || return 0
    rm -f "$socket"
    start_daemon "$PARTS/bridge" "$name-$port-out" socat "UNIX-LISTEN:$socket,fork,backlog=128" "TCP:127.0.0.1:$port"
    start_daemon "$PARTS/bridge" "$name-$port-in" nsenter --net="/run/netns/$netns" \
        socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr,backlog=128" "UNIX-CONNECT:$socket"
    wait_until "the bridge from engine $name to port $port" "$PARTS/bridge/$name-$port-out.log" test -S "$socket" &&
        wait_until "the bridge from engine $name to port $port" "$PARTS/bridge/$name-$port-in.log" \
            _is_listening_there "$netns" "$port"
}
_is_listening_there() { nsenter --net="/run/netns/$1" ss -Htln "sport = :$2" | grep -q .; }

# cut_proxy ENGINE REGISTRY: prints another HOST:PORT of that registry, for ENGINE and for us. Each connection to it is cut after as
# many bytes of answers as $PARTS/bridge/cut-after says; none are while there is no such file.
cut_proxy() {
    local port script=$PARTS/bridge/cut.sh
    port=$(free_port)
    cat >"$script" <<SCRIPT
#!/bin/bash
limit=\$(cat $PARTS/bridge/cut-after 2>/dev/null) && limit=,readbytes=\$limit
exec socat - "TCP:$(registry_address "$2")\$limit"
SCRIPT
    chmod 755 "$script"
    start_daemon "$PARTS/bridge" "$1-$port-cut" socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "EXEC:$script"
    wait_until "the proxy in front of registry $2" "$PARTS/bridge/$1-$port-cut.log" is_listening "$port" &&
        port_reach "$1" "$port" && echo "127.0.0.1:$port"
}

# engine_docker NAME ARGUMENT…: the docker CLI of that engine's age, with the logins of `login`
engine_docker() {
    local name=$1 dir
    shift
    dir=$(engine_dir "$name")
    _docker_config "$name" v1
    DOCKER_HOST=unix://$dir/docker.sock DOCKER_CONFIG=$dir/config-v1 "$(_engine_cli "$name")" "$@"
}

# engine_api NAME PATH [curl option…]: the engine's HTTP API
engine_api() { curl -sS --fail-with-body --unix-socket "$(engine_socket "$1")" "http://docker$2" "${@:3}"; }

# engine_curl NAME [curl option…] URL: from inside the namespace, where published ports are on 127.0.0.1
engine_curl() { nsenter --net="/run/netns/$(engine_netns "$1")" curl -sS --fail --max-time 10 "${@:2}"; }

# engine_serves NAME URL TEXT: waits until URL answers TEXT
engine_serves() {
    local last
    last=$PARTS/last-answer.$BASHPID
    wait_until "$2 on engine $1 serves '$3'" "$last" _serves_now "$last" "$@" || return 1
    rm -f "$last"
}
_serves_now() { # LOG NAME URL TEXT
    engine_curl "$2" "$3" >"$1" 2>&1
    [[ $(cat "$1") == "$4" ]]
}

_engine_path() { # VERSION: the PATH with which its dockerd finds the programs of its own age
    local system=/usr/sbin:/usr/bin:/sbin:/bin own=""
    case $1 in
    20.10) [[ ! -e $TALLYMAN_PARTS/docker20/done ]] || own=$TALLYMAN_PARTS/docker20/bin: ;;
    26.1) own=$TALLYMAN_PARTS/docker26/bin: ;; # with bookworm's runc: trixie's needs a newer libc
    *) fail_because "no engine $1: 20.10 or 26.1" || return 1 ;;
    esac
    PATH=$own$system command -v dockerd >/dev/null && [[ $1 != 26.1 || -e $TALLYMAN_PARTS/docker26/done ]] ||
        fail_because "engine $1 is missing: $E2E_INSTALL" || return 1
    echo "$own$system"
}
_engine_cli() { # NAME
    if [[ $(cat "$(engine_dir "$1")/version") != 20.10 ]]; then
        echo "$TALLYMAN_PARTS/compose2/bin/docker"
    elif [[ -e $TALLYMAN_PARTS/docker20/done ]]; then
        echo "$TALLYMAN_PARTS/docker20/bin/docker"
    else
        echo /usr/bin/docker
    fi
}
