# shellcheck shell=bash
# Podman as an engine: `engine_start NAME podman`. Its service speaks Docker's API on the socket where the other engines have
# theirs, so that engine_docker, engine_api, engine_run, compose and engine_stop take it for one. Start the registries first:
# Podman reads which of them are insecure only once. Its health checks need a systemd to fire, and don't here.

# engine_podman NAME ARGUMENT…: podman itself, on the same images and containers
engine_podman() {
    local command
    _podman_command "$1"
    "${command[@]}" "${@:2}"
}
_podman_command() { # NAME: sets command=(…), which `local` of the caller keeps from spreading
    local dir
    dir=$(engine_dir "$1")
    command=(nsenter --net="/run/netns/$(engine_netns "$1")" env HOME="$dir/home" CONTAINERS_CONF="$dir/containers.conf"
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
    start_daemon "$dir" dockerd "${command[@]}" system service --time=0 "unix://$dir/docker.sock"
}
