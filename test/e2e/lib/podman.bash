# shellcheck shell=bash
# Podman as an engine: `engine_start NAME podman`. Its service speaks Docker's API on the socket where the other engines have
# theirs, so that engine_docker, engine_api, engine_run, compose and engine_stop take it for one. Start the registries first:
# Podman reads which of them are insecure only once. Its health checks need a systemd to fire, and don't here.

# engine_podman NAME ARGUMENT…: podman itself, on the same images and containers
engine_podman() {
    local command
    _podman_command "$1" --mount="/proc/$(cat "$(engine_dir "$1")/dockerd.pid")/ns/mnt"
    "${command[@]}" "${@:2}"
}
_podman_command() { # NAME [option of nsenter]: sets command=(…), which `local` of the caller keeps from spreading
    local dir
    dir=$(engine_dir "$1")
    command=(nsenter --net="/run/netns/$(engine_netns "$1")" "${@:2}" env HOME="$dir/home" CONTAINERS_CONF="$dir/containers.conf"
        CONTAINERS_STORAGE_CONF="$dir/storage.conf" CONTAINERS_REGISTRIES_CONF="$dir/registries.conf" /usr/bin/podman)
}

# Debian's podman with images, containers, networks and locks of its own.
_podman_start() { # NAME
    local dir each command
    dir=$(engine_dir "$1")
    need_program /usr/bin/podman /usr/lib/podman/netavark /usr/lib/podman/aardvark-dns /usr/sbin/runc || return 1
    mkdir -p "$dir/networks"
    # crun refuses hybrid cgroups, and not every root may raise limits. Without lock_type, locks are in /dev/shm: those of
    # this machine's own Podman.
    cat >"$dir/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
events_logfile_path = "$dir/exec/events.log"
lock_type = "file"
runtime = "runc"
static_dir = "$dir/data/libpod"
tmp_dir = "$dir/exec/libpod"
volume_path = "$dir/data/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$dir/networks"
CONF
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$dir/data" "$dir/exec/storage" >"$dir/storage.conf"
    for each in "$PARTS"/registry/*/port; do
        [[ ! -e $each ]] || printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$(cat "$each")"
    done >"$dir/registries.conf"
    rm -f "$dir/docker.sock"
    _podman_command "$1"
    # In a mount namespace of its own: where addresses are handed out and the name server is told is the same for all of root's
    # Podmans, /run/containers/networks.
    # shellcheck disable=SC2016 # the arguments are the inner shell's
    start_daemon "$dir" dockerd unshare --mount bash -c 'mkdir -p /run/containers && mount -t tmpfs tmpfs /run/containers && exec "$@"' \
        podman "${command[@]}" system service --time=0 "unix://$dir/docker.sock"
}

# Containers and their helpers: whatever else lives in the service's mount namespace.
_podman_stop() { # NAME [--keep]
    local dir pid space each
    dir=$(engine_dir "$1")
    pid=$(pid_of "$dir/dockerd.pid") || return 0
    space=$(readlink "/proc/$pid/ns/mnt")
    # podman knows which container must go first
    [[ -n ${2:-} ]] || engine_podman "$1" rm -a -f -t 0 >/dev/null 2>&1 || true
    stop_daemon "$dir/dockerd.pid"
    for each in /proc/[0-9]*; do
        [[ $(readlink "$each/ns/mnt" 2>/dev/null) != "$space" ]] || kill -KILL "${each#/proc/}" 2>/dev/null || true
    done
}
