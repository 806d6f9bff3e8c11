#!/usr/bin/env bats
# Bad input and trouble: each has its message and its exit status, and touches no container.

load lib/parts
load lib/tallyman

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { tallyman_teardown; }
teardown_file() { parts_stop; }

# web runs v1 while the registry has v2; whatever a test gets wrong, it must stay so
web_with_update() {
    image_push "$IMAGE:stable" "v1" >/dev/null
    site_up <<YAML
services: {web: {image: "$IMAGE:stable"}}
YAML
    drop_in web <<<"image = \"$IMAGE:stable\""
    image_push "$IMAGE:stable" "v2" >/dev/null
    BEFORE=$(service_ids it "$NAME")
}
untouched() { [[ $(service_ids it "$NAME") == "$BEFORE" ]] || fail_because "a container was touched"; }

# A drop-in that cannot be used takes only its own service out: the other one is deployed.
broken_drop_in() { # NAME of its service
    expect_exit 1 tally run
    [[ $(status_of "$1" '.state + " " + .error.kind') == "unknown config" ]] || fail_because "$(cat "$STATUS")"
    [[ $(status_of web .state) == updated ]]
    expect_exit 1 tally validate
}

@test "unknown key: file, line, column, key and the nearest one" {
    web_with_update
    drop_in api <<TOML
image = "ghcr.io/acme/api"
[compose]
servces = ["api"]
TOML
    broken_drop_in api
    says "$ETC/conf.d/api.toml:3:1" servces services
}

@test "wrong type" {
    web_with_update
    drop_in api <<<'image = 7'
    broken_drop_in api
    says "api.toml:1:" image string
}

@test "a reference that does not parse" {
    web_with_update
    drop_in api <<<'image = "ghcr.io/Acme/API"'
    broken_drop_in api
    says "api.toml:1:" "ghcr.io/Acme/API"
}

@test "not TOML" {
    web_with_update
    drop_in api <<<'image: ghcr.io/acme/api'
    broken_drop_in api
    says "api.toml:1:"
}

@test "not UTF-8" {
    web_with_update
    printf 'image = "ghcr.io/acme/\xff"\n' | drop_in api
    broken_drop_in api
    says "api.toml:1:" UTF-8
}

@test "an unreadable file" {
    web_with_update
    mkdir "$ETC/conf.d/api.toml"
    broken_drop_in api
    says "api.toml"
}

@test "a drop-in name with odd characters" {
    web_with_update
    echo 'image = "ghcr.io/acme/api"' >"$ETC/conf.d/a b;c.toml"
    broken_drop_in "a b;c"
    says "a b;c"
}

@test "all mistakes of all files at once" {
    drop_in one <<<'imgae = "x"
mode = "sometimes"'
    drop_in two <<<'image = "UPPER"'
    expect_exit 1 tally validate
    says "one.toml:1:1" image "one.toml:2:" sometimes "two.toml:1:" "2 drop-ins"
}

@test "an unusable tallyman.toml: exit 2, nothing is touched" {
    web_with_update
    echo '[engine]
hots = "unix:///x"' >"$ETC/tallyman.toml"
    expect_exit 2 tally run
    says "tallyman.toml:2:1" host "nothing was touched"
    untouched
    [[ ! -e $STATUS ]]
}

@test "two drop-ins claim one container: both are unknown, and both are named" {
    web_with_update
    drop_in other <<<"[compose]
project  = \"$NAME\"
services = [\"*\"]"
    expect_exit 1 tally run
    says "claimed by two drop-ins" "$ETC/conf.d/web.toml" "$ETC/conf.d/other.toml" "$NAME-web-1"
    [[ $(status_of web .state) == unknown && $(status_of other .state) == unknown ]]
    untouched
}

@test "an empty conf.d is no failure; a missing folder is wrong usage" {
    expect_exit 0 tally run
    says "no services configured"
    [[ $(jq .summary.services "$STATUS") == 0 ]]
    expect_exit 2 engine_run it v2 "$TALLYMAN" --config "$ETC/nowhere" run
    says "$ETC/nowhere"
}

@test "a service that no drop-in has: exit 2, with the nearest name" {
    web_with_update
    expect_exit 2 tally run wbe
    says "no service wbe" "did you mean web?"
    untouched
}

@test "wrong usage" {
    expect_exit 2 tally fly
    expect_exit 2 tally run --dryrun
    says "--dryrun"
    expect_exit 2 tally
}

@test "an unreachable registry: its service is unknown, the others go on" {
    web_with_update
    engine_docker it tag "$(engine_docker it inspect -f '{{.Image}}' "$BEFORE")" "127.0.0.1:1/team/dead:1"
    engine_docker it run -d --name "$NAME-dead" "127.0.0.1:1/team/dead:1"
    drop_in dead <<<'image = "127.0.0.1:1/team/dead:1"'
    expect_exit 1 tally run
    says "dead: UNKNOWN, registry error" "127.0.0.1:1" refused "1 updated"
    [[ $(status_of dead .error.kind) == transient ]]
    engine_docker it rm -f "$NAME-dead"
}

@test "a missing tag" {
    web_with_update
    engine_docker it pull -q "$IMAGE:stable"
    engine_docker it tag "$IMAGE:stable" "$IMAGE:gone"
    engine_docker it run -d --name "$NAME-gone" "$IMAGE:gone"
    drop_in gone <<<"image = \"$IMAGE:gone\""
    expect_exit 1 tally check gone
    says unknown "$NAME"
    expect_exit 1 tally digest "$IMAGE:gone"
    says "$IMAGE:gone" "$HUB has no such tag"
    engine_docker it rm -f "$NAME-gone"
}

@test "a missing compose file" {
    web_with_update
    rm "$SITE/compose.yaml"
    expect_exit 1 tally run
    says "PENDING, preflight failed" "$SITE/compose.yaml" "is not there" "$ETC/conf.d/web.toml"
    untouched
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
directory = "$SITE"
files     = ["prod.yaml"]
TOML
    expect_exit 1 tally run
    says "$SITE/prod.yaml" "is not there"
    untouched
}

@test "a compose file with an error in it" {
    web_with_update
    echo 'services: {web: {image: [}}' >"$SITE/compose.yaml"
    expect_exit 1 tally run
    says "PENDING, preflight failed" "compose config"
    untouched
}

@test "no engine socket" {
    web_with_update
    TALLY_ENV=(DOCKER_HOST=unix:///run/no/docker.sock)
    expect_exit 1 tally run
    says /run/no/docker.sock "web: UNKNOWN, engine error"
    [[ $(status_of web .reason_code) == engine_error ]]
    TALLY_ENV=(DOCKER_HOST=tcp://10.0.0.1:2375)
    expect_exit 2 tally run
    says "tcp://10.0.0.1:2375" "unix:///run/docker.sock"
    untouched
}

@test "no permission on the socket" {
    web_with_update
    mkdir "$ETC/mine"
    chmod 711 "$PARTS" "$PARTS/engine" "$(engine_dir it)"
    chmod 755 "$ETC" "$ETC/conf.d"
    chown nobody "$ETC/mine"
    # A folder that nobody may enter would be another error than the one that is meant.
    cp "$TALLYMAN" "$ETC/tallyman"
    expect_exit 1 engine_run it v2 setpriv --reuid=nobody --clear-groups --regid=nogroup "$ETC/tallyman" --config "$ETC" \
        --state "$ETC/mine" --status-file "$ETC/mine/status.json" run
    says "no permission on $(engine_socket it)" "docker group"
    untouched
}

@test "compose v1 on an engine without ContainerConfig is refused before anything is touched" {
    web_with_update
    E2E_TALLY_COMPOSE=v1
    registry_requests_reset hub
    expect_exit 1 tally run
    says "PENDING, preflight failed" "docker-compose 1.29" ContainerConfig "docker compose v2"
    untouched
    ! registry_requests hub | grep -q /blobs/ || fail_because "something was pulled"
}

@test "no compose at all" {
    web_with_update
    mkdir "$ETC/bin"
    TALLY_ENV=(PATH="$ETC/bin")
    expect_exit 1 tally run
    says "no usable Docker Compose" "docker-compose: not found"
    untouched
}

@test "a second run while one is at work: exit 3, changes nothing" {
    web_with_update
    compose_wrapper "touch $ETC/begun; until [ -e $ETC/go ]; do sleep 0.1; done" true
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
command = ["$ETC/compose"]
TOML
    tally run >"$ETC/first.out" 2>&1 &
    first=$!
    wait_until "the first run is at work" "$ETC/first.out" test -e "$ETC/begun"
    expect_exit 3 tally run
    says "another run is at work" "pid " "nothing was changed"
    [[ ! -e $STATUS ]]
    untouched
    expect_exit 0 tally check # only looks
    touch "$ETC/go"
    wait "$first"
    [[ $(status_of web .state) == updated ]]
}

@test "told to stop: the step that is under way is finished, and the status is written" {
    web_with_update
    compose_wrapper true "touch $ETC/begun; until [ -e $ETC/go ]; do sleep 0.1; done"
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
command = ["$ETC/compose"]
TOML
    tally run >"$ETC/first.out" 2>&1 &
    first=$!
    wait_until "compose is at work" "$ETC/first.out" test -e "$ETC/begun"
    pkill -TERM -f -- "^$TALLYMAN --config $ETC "
    sleep 0.5
    kill -0 "$first"
    touch "$ETC/go"
    wait "$first"
    [[ $(service_ids it "$NAME" web | wc -l) == 1 && $(service_ids it "$NAME") != "$BEFORE" ]]
    [[ $(status_of web .state) == updated ]]
}

@test "a status file that cannot be written is an error, after the work was done" {
    web_with_update
    touch "$ETC/file"
    expect_exit 1 engine_run it v2 "$TALLYMAN" --config "$ETC" --state "$STATE" --status-file "$ETC/file/status.json" run
    says "1 updated" "status file" "$ETC/file"
    [[ $(service_ids it "$NAME") != "$BEFORE" ]]
}

@test "memory that cannot be understood: nothing is decided without it" {
    web_with_update
    mkdir -m 700 "$STATE"
    echo '{"schema": 99}' >"$STATE/memory.json"
    expect_exit 1 tally run
    says "$STATE/memory.json" "schema 1" "move the file away"
    untouched
    [[ $(status_of web .state) == unknown ]]
    [[ $(cat "$STATE/memory.json") == '{"schema": 99}' ]]
}
