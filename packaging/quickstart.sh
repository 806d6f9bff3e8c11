#!/bin/bash
# Shows tallyman's main job on a real engine and a real registry, and cleans up behind itself.
#
#   packaging/quickstart.sh          as root, on Debian 12; installs what it needs, builds a release
#
# Everything it starts lives in a folder of its own and in a network namespace of its own: a Docker that already runs
# here is neither asked nor disturbed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
parts=${TALLYMAN_PARTS:-/var/cache/tallyman-test}
[[ $EUID -eq 0 ]] || { echo "quickstart: not root; try: sudo $0" >&2; exit 1; }

bold="" faint="" plain=""
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' faint=$'\e[2m' plain=$'\e[0m'; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '%s   %s%s\n' "$faint" "$*" "$plain"; }
die() {
    printf 'quickstart: %s\n' "$1" >&2
    [[ -z ${2:-} || ! -e $2 ]] || { echo "--- the end of $2" >&2 && tail -n 20 "$2" >&2; }
    exit 1
}

chapter "Installing what it needs, and building a release"
"$here/packaging/install-deps.sh" quickstart
work=$(mktemp -d /tmp/tallyman-quickstart.XXXXXX)
# --- a private engine, a private registry ----------------------------------------------------------
netns=$(basename "$work")
inside=(nsenter "--net=/run/netns/$netns")

stop_by_pid_file() { # FILE: its process is one of ours, and is waited for
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$work" || return 0
    kill "$pid" 2>/dev/null || return 0
    for _ in {1..200}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}
clean_up() {
    local status=$? mount
    trap - EXIT
    if [[ -S $work/docker.sock ]]; then
        "${docker[@]}" ps -aq 2>/dev/null | xargs -r "${docker[@]}" rm -f >/dev/null 2>&1 || true
    fi
    stop_by_pid_file "$work/docker.pid"
    stop_by_pid_file "$work/registry.pid"
    awk -v dir="$work/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
        while read -r mount; do umount -l "$mount" || true; done
    [[ ! -e /run/netns/$netns ]] || ip netns del "$netns"
    if [[ $status -eq 0 ]]; then
        rm -rf "$work"
    else
        printf 'quickstart: ended with status %s; kept for a look: %s\n' "$status" "$work" >&2
    fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

(cd "$here" && cmake --preset release && cmake --build --preset release) >"$work/build.log" 2>&1 ||
    die "the build failed" "$work/build.log"
DESTDIR=$work/root cmake --install "$here/.build/release" --strip >"$work/install.log" 2>&1 ||
    die "the installation into $work/root failed" "$work/install.log"
tallyman=$(find "$work/root" -type f -name tallyman -perm -u+x)
note "$("$tallyman" --version), installed into $work/root"

wait_for() { # WHAT LOG COMMAND...
    local what=$1 log=$2
    shift 2
    for _ in {1..300}; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    die "gave up waiting for $what" "$log"
}

docker=(docker)
docker_config=$work/docker-config
mkdir -p "$docker_config"
echo '{}' >"$docker_config/config.json"
if ! DOCKER_CONFIG=$docker_config docker compose version >/dev/null 2>&1; then
    docker=("$parts/compose2/bin/docker")
    ln -s "$parts/compose2/config/cli-plugins" "$docker_config/cli-plugins"
fi
export DOCKER_CONFIG=$docker_config DOCKER_HOST=unix://$work/docker.sock
PATH=$(dirname "$(command -v "${docker[0]}")"):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

chapter "Starting a private engine and a private registry in $work"
ip netns add "$netns"
ip -n "$netns" link set lo up
echo '{}' >"$work/daemon.json"
mkdir "$work/data" "$work/exec" "$work/images"
setsid "${inside[@]}" dockerd --config-file="$work/daemon.json" --host="$DOCKER_HOST" --data-root="$work/data" \
    --exec-root="$work/exec" --pidfile="$work/docker.pid" >"$work/dockerd.log" 2>&1 </dev/null &
cat >"$work/registry.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $work/images}}
http: {addr: "127.0.0.1:5000"}
YAML
setsid "${inside[@]}" docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 </dev/null &
echo $! >"$work/registry.pid"
wait_for "the engine" "$work/dockerd.log" curl -sf --unix-socket "$work/docker.sock" http://docker/_ping
wait_for "the registry" "$work/registry.log" "${inside[@]}" curl -sf http://127.0.0.1:5000/v2/
note "Docker Engine $("${docker[@]}" version -f '{{.Server.Version}}'), compose $("${docker[@]}" compose version --short), registry 127.0.0.1:5000"

# --- the story --------------------------------------------------------------------------------------
image=127.0.0.1:5000/acme/web:latest

push() { # VERSION [CMD]: an image whose web server says it, or which does something else; pushed as :latest
    local root=$work/image cmd=${2:-'["/bin/httpd", "-f", "-p", "80", "-h", "/www"]'}
    rm -rf "$root"
    mkdir -p "$root/bin" "$root/www"
    cp /bin/busybox "$root/bin/"
    for program in sh httpd; do ln -s busybox "$root/bin/$program"; done
    echo "this is $1" >"$root/www/index.html"
    tar -C "$root" -c . | "${docker[@]}" import --change "CMD $cmd" \
        --change "LABEL org.opencontainers.image.version=$1" - "acme-build:$1" >/dev/null
    "${docker[@]}" tag "acme-build:$1" "$image.build"
    "${docker[@]}" push -q "$image.build" >/dev/null
    "${docker[@]}" rmi "$image.build" "acme-build:$1" >/dev/null # this host must really pull it
    # The tag moves in the registry only, as if a build machine had pushed it.
    local manifest=application/vnd.docker.distribution.manifest.v2+json url=http://127.0.0.1:5000/v2/acme/web/manifests
    "${inside[@]}" curl -sSf -H "Accept: $manifest" "$url/latest.build" -o "$work/manifest.json"
    "${inside[@]}" curl -sSf -X PUT -H "Content-Type: $manifest" --data-binary "@$work/manifest.json" "$url/latest"
}
serves() { # TEXT
    local answer
    for _ in {1..100}; do
        answer=$("${inside[@]}" curl -sf http://127.0.0.1:8080/ || true)
        if [[ $answer == "$1" ]]; then
            printf '$ curl http://127.0.0.1:8080/\n%s\n' "$answer"
            return 0
        fi
        sleep 0.1
    done
    die "the service says '$answer', not '$1'" "$work/dockerd.log"
}
show() { # COMMAND...: as a person would type it, with the folders of this demonstration
    printf '$ %s\n' "$*"
    case $1 in
    tallyman) "${inside[@]}" "$tallyman" --config "$work/etc" --state "$work/state" --status-file "$work/status.json" "${@:2}" ;;
    docker) "${docker[@]}" "${@:2}" ;;
    *) "$@" ;;
    esac
}
web_id() { "${docker[@]}" compose -p web -f "$work/web/compose.yaml" ps -q web; }

chapter "v1 is in the registry, and a compose project runs it"
push v1
mkdir "$work/web" "$work/etc" "$work/etc/conf.d"
cat >"$work/web/compose.yaml" <<YAML
services:
  web:
    image: $image
    ports: ["127.0.0.1:8080:80"]
    stop_signal: SIGKILL # busybox's httpd does not listen to a polite one
YAML
cat >"$work/etc/conf.d/web.toml" <<TOML
image = "$image"
[health]
http   = ["http://127.0.0.1:8080/"]
settle = "2s"
TOML
(cd "$work/web" && show docker compose up -d)
serves "this is v1"
note "one drop-in watches it:"
(cd "$work/etc" && show cat conf.d/web.toml)
show tallyman run

chapter "Somebody pushes v2"
push v2
show tallyman check
serves "this is v1"

chapter "The timer's next tick deploys it"
show tallyman run
serves "this is v2"
show tallyman status

chapter "The tick after that has nothing to do"
before=$(web_id)
show tallyman run
[[ $(web_id) == "$before" ]] || die "the second run recreated the container"
note "the same container as before"

chapter "Somebody pushes v3, and v3 is broken"
push v3 '["/bin/sh", "-c", "echo cannot find my database; exit 1"]'
status=0
show tallyman run || status=$?
note "exit status $status"
[[ $status -eq 4 ]] || die "4 was expected: rolled back"
serves "this is v2"

chapter "The next tick knows it, and leaves the service alone"
before=$(web_id)
show tallyman run
[[ $(web_id) == "$before" ]] || die "a broken image was tried again"
show tallyman status

chapter "v4 repairs it"
push v4
show tallyman run
serves "this is v4"

chapter "Done"
note "To install it here: cmake --install .build/release --strip, then"
note "put a drop-in into /etc/tallyman/conf.d and: systemctl enable --now tallyman.timer"
