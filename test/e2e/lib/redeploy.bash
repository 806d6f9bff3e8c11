# shellcheck shell=bash
# Services that a script starts, and not compose; it stands on lib/tallyman.

# script_app: container $NAME of $IMAGE:stable serves v1 on $PORT, and $SITE/start.sh has started it by hand. $OLD is the digest of v1,
# $BEFORE the container's id. Sets up the drop-in `app`, too.
script_app() {
    OLD=$(image_push "$IMAGE:stable" "v1" --label "test=$NAME")
    # shellcheck disable=SC2119 # none
    start_script
    engine_docker it pull -q "$IMAGE:stable"
    engine_run it "$E2E_COMPOSE" TALLYMAN_IMAGE="$IMAGE:stable" "$SITE/start.sh" >"$ETC/start.out"
    rm "$ETC"/env.* "$ETC/count"
    BEFORE=$(app_ids)
    # shellcheck disable=SC2119 # none
    script_drop_in
}
# start_script [BEFORE [BETWEEN [AFTER]]]: $SITE/start.sh removes the container and runs another; shell snippets come before, between and
# after that. $call counts its calls; their environment is in $ETC/env.1, $ETC/env.2 …, their arguments in $ETC/arguments.
# shellcheck disable=SC2120
start_script() {
    cat >"$SITE/start.sh" <<SCRIPT
#!/bin/bash -e
echo >>"$ETC/count"
call=\$(wc -l <"$ETC/count")
env | sort >"$ETC/env.\$call"
echo "\$PWD: \$*" >"$ETC/arguments"
${1:-}
docker rm -f "$NAME" 2>/dev/null || true
${2:-}
docker run -d --name "$NAME" --label "test=$NAME" -p "127.0.0.1:$PORT:80" "\$TALLYMAN_IMAGE"
${3:-}
SCRIPT
    chmod 755 "$SITE/start.sh"
}
# script_drop_in [LINE…]: LINEs are added at its end
# shellcheck disable=SC2120
script_drop_in() {
    drop_in app <<TOML
image = "$IMAGE:stable"
[redeploy]
command   = ["./start.sh", "--no-rag"]
directory = "$SITE"
timeout   = "${TIMEOUT:-60s}"
environment = { CHANNEL = "stable" }
[health]
timeout = "10s"
settle  = "500ms"
$(printf '%s\n' "$@")
TOML
}
# hook NAME SNIPPET: $ETC/NAME, a program for [hooks]; its environment is in $ETC/env.NAME
hook() {
    printf '#!/bin/bash\nenv | sort >"%s"\n%s\n' "$ETC/env.$1" "$2" >"$ETC/$1"
    chmod 755 "$ETC/$1"
}
app_ids() { engine_docker it ps -aq --no-trunc --filter "label=test=$NAME" | sort; }
app_digest() { # what the running ones run
    local id
    for id in $(engine_docker it ps -q --filter "label=test=$NAME"); do
        engine_docker it image inspect "$(engine_docker it inspect -f '{{.Image}}' "$id")" |
            jq -r --arg repository "$IMAGE@" '.[0].RepoDigests[] | select(startswith($repository)) | ltrimstr($repository)'
    done | sort -u
}
app_is() { # FILTER WANTED
    local value
    value=$(status_of app "$1")
    [[ $value == "$2" ]] || fail_because "$1 is '$value', not '$2', in:
$(status_of app .)"
}
has_variables() { # FILE NAME=VALUE…
    local file=$1 each
    shift
    for each; do grep -qxF -- "$each" "$file" || fail_because "no $each in $file:
$(cat "$file")" || return 1; done
}
# The file of the last deployment's folder
kept() { echo "$(status_of app .last_deployment.log)/$1"; }

redeploy_teardown() {
    parts_note_result
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || return 0
    app_ids | xargs -r -n 50 timeout 60 "$(_engine_cli it)" -H "unix://$(engine_socket it)" rm -f >/dev/null
    remove_project "$NAME"
}
