# shellcheck shell=bash
# Compose v1 and v2 against a private engine, and the environment in which a program under test finds just one of them.

# engine_run NAME v1|v2 [VAR=VALUE…] COMMAND…: runs COMMAND in the engine's network namespace with a clean environment:
#   PATH          one folder with all of this machine's programs, but of compose only the one that is meant:
#                 v1: `docker-compose` 1.29 and a docker without compose; v2: `docker compose` and no docker-compose
#   HOME, DOCKER_CONFIG, DOCKER_HOST   the engine's own; give VAR=VALUE to have others
engine_run() {
    local name=$1 kind=$2 dir bin
    shift 2
    dir=$(engine_dir "$name")
    bin=$(_compose_bin "$kind") && _docker_config "$name" "$kind" || return 1
    nsenter --net="/run/netns/$(engine_netns "$name")" env -i PATH="$bin" HOME="$dir/home" LANG=C.UTF-8 \
        DOCKER_HOST="unix://$dir/docker.sock" DOCKER_CONFIG="$dir/config-$kind" "$@"
}

# compose NAME v1|v2 FOLDER ARGUMENT…: compose itself, in the project's folder
compose() {
    local name=$1 kind=$2 folder=$3 command=(docker compose)
    [[ $kind == v2 ]] || command=(docker-compose)
    shift 3
    (cd "$folder" && engine_run "$name" "$kind" "${command[@]}" "$@")
}

# login ENGINE REGISTRY [USER [PASSWORD]]: writes what `docker login` would, for engine_docker, engine_run and compose
login() {
    local user=${3:-reader} password merged config
    password=${4:-$(registry_password "$2" "$user")} config=$(engine_dir "$1")/config.json
    [[ -e $config ]] || echo '{}' >"$config"
    merged=$(jq --arg host "$(registry_address "$2")" --arg auth "$(printf %s "$user:$password" | base64 -w0)" \
        '.auths[$host] = {auth: $auth}' "$config") && echo "$merged" >"$config"
}
logout() { echo '{}' >"$(engine_dir "$1")/config.json"; } # ENGINE: forgets all logins

# service_ids ENGINE PROJECT [SERVICE]: full ids of its running containers, sorted
service_ids() {
    engine_docker "$1" ps -q --no-trunc --filter "label=com.docker.compose.project=$2" \
        ${3:+--filter "label=com.docker.compose.service=$3"} | sort
}
# service_digests ENGINE PROJECT SERVICE REPOSITORY: which manifest digests of REPOSITORY its running containers run, one a line
service_digests() {
    local id
    for id in $(service_ids "$1" "$2" "$3"); do
        engine_docker "$1" image inspect "$(engine_docker "$1" inspect -f '{{.Image}}' "$id")" |
            jq -r --arg repository "$4@" '.[0].RepoDigests[] | select(startswith($repository)) | ltrimstr($repository)'
    done | sort -u
}

_docker_config() { # ENGINE v1|v2: makes the DOCKER_CONFIG folders; only v2's has the compose plug-in
    local dir config
    dir=$(engine_dir "$1") config=$dir/config-$2
    [[ ! -L $config/config.json ]] || return 0
    [[ -e $dir/config.json ]] || echo '{}' >"$dir/config.json"
    mkdir -p "$config"
    [[ $2 != v2 ]] || ln -sfn "$TALLYMAN_PARTS/compose2/config/cli-plugins" "$config/cli-plugins"
    ln -sf ../config.json "$config/config.json" # logins are the same for both
}

# A folder of links to all programs but Docker's, and then the ones that are meant: only so is the other compose not found.
# One for all files of a bats run: it's two thousand links.
_compose_bin() { # v1|v2
    local bin=${BATS_RUN_TMPDIR:-$PARTS}/bin-$1 new
    if [[ ! -e $bin ]]; then
        new=$(mktemp -d "$bin.XXXXXX")
        ln -sf -t "$new" /usr/sbin/* /usr/bin/*
        rm -f "$new"/docker "$new"/docker-compose
        case $1 in
        v1)
            need_program /usr/bin/docker-compose || return 1
            ln -s /usr/bin/docker-compose "$new/docker-compose"
            # A machine may have a compose plug-in for all users: then this docker would be the other compose.
            DOCKER_CONFIG=$new/none /usr/bin/docker compose version >/dev/null 2>&1 || ln -s /usr/bin/docker "$new/docker"
            ;;
        v2)
            need_program "$TALLYMAN_PARTS/compose2/bin/docker" || return 1
            ln -s "$TALLYMAN_PARTS/compose2/bin/docker" "$new/docker"
            ;;
        *) fail_because "no compose $1: v1 or v2" || return 1 ;;
        esac
        mv -T "$new" "$bin" 2>/dev/null || rm -rf "$new" # somebody else was first
    fi
    echo "$bin"
}
