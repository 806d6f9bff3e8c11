#!/usr/bin/env bats
# No deployment leaves a service broken: all ways to fail that one engine and one compose can show. What differs between engines
# is in rollback-core.bats.
# shellcheck disable=SC2016 # what is in single quotes is for other shells

load lib/parts
load lib/tallyman
load lib/rollback

setup_file() {
    # Else an engine tries a broken pull again for more than a minute.
    ENGINE_OPTIONS=(--max-download-attempts=1)
    tallyman_setup_file
}
setup() { tallyman_setup; }
teardown() {
    hub_is_up
    tallyman_teardown
}
teardown_file() { parts_stop; }

# --- ways to be bad ---------------------------------------------------------------------------------

@test "never healthy: the health check's own words are kept" {
    guarded_web
    bad=$(image_push "$IMAGE:stable" "v2" --healthcheck 'echo the cellar is flooded; exit 1')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames unhealthy
    has_evidence "the cellar is flooded"
    stays_back
}

@test "healthy never comes: the timeout ends it" {
    guarded_web
    TIMEOUT=2s guard
    bad=$(image_push "$IMAGE:stable" "v2" --healthcheck false --health-start-period 60000)
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames
}

@test "a crash while it settles" {
    guarded_web
    SETTLE=4s guard
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'sleep 2; exit 3')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames "exited with status 3"
}

@test "a crash loop: restarted by the engine again and again" {
    guarded_web "restart: always"
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'sleep 0.3; echo not again; exit 1')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames
    has_evidence "not again"
    [[ $(engine_docker it inspect -f '{{.RestartCount}} {{.State.Running}}' "$(service_ids it "$NAME")") == "0 true" ]]
}

@test "killed for lack of memory" {
    guarded_web "mem_limit: 8m"
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'x=a; while :; do x=$x$x; done')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames memory
    has_evidence oom
}

@test "a child killed for lack of memory, while its container goes on" {
    guarded_web "mem_limit: 8m"
    SETTLE=3s guard
    bad=$(image_push "$IMAGE:stable" "v2" --cmd '(x=a; while :; do x=$x$x; done) & exec httpd -f -p 80 -h /www')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames memory
}

@test "http: answers 500" {
    guarded_web
    TIMEOUT=2s guard "http = [\"http://127.0.0.1:$PORT/\"]"
    bad=$(image_push "$IMAGE:stable" "v2" --http-status 500)
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    [[ $(status_of web .error.message) == *"http://127.0.0.1:$PORT/"*500* ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1
}

@test "http: the status that is wanted, and no other" {
    PUSH_OLD=(--http-status 401)
    guarded_web
    TIMEOUT=2s guard "http = [\"http://127.0.0.1:$PORT/\"]" "http_status = 401"
    OLD=$(image_push "$IMAGE:stable" "v2" --http-status 401)
    expect_exit 0 tally run
    [[ $(status_of web .state) == updated ]]
    bad=$(image_push "$IMAGE:stable" "v3")
    expect_exit 4 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$OLD" ]]
    [[ $(status_of web '.quarantined | join(" ")') == "$bad" ]]
}

@test "tcp: nobody listens" {
    # With the engine's port forwarding somebody always does.
    PUSH_OLD=(--port "$PORT")
    guarded_web "network_mode: host"
    TIMEOUT=2s guard "tcp = [\"127.0.0.1:$PORT\"]"
    bad=$(image_push "$IMAGE:stable" "v2" --port $((PORT + 1)))
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    [[ $(status_of web .error.message) == *"127.0.0.1:$PORT"* ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1
}

@test "command: ends with another status than 0" {
    guarded_web
    printf '#!/bin/bash\n[[ $(/usr/bin/curl -s http://127.0.0.1:%s/) == v1 ]]\n' "$PORT" >"$ETC/probe"
    chmod 755 "$ETC/probe"
    TIMEOUT=2s guard "command = [\"$ETC/probe\"]"
    bad=$(image_push "$IMAGE:stable" "v2")
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    [[ $(status_of web .error.message) == *"$ETC/probe"* ]]
}

@test "rollback is off: failed, and the new one is left as it is" {
    guarded_web
    drop_in web <<TOML
image = "$IMAGE:stable"
[health]
timeout = "10s"
settle  = "1s"
[rollback]
enabled = false
TOML
    bad=$(image_push "$IMAGE:stable" "v2" --healthcheck false)
    expect_exit 1 tally run
    says FAILED
    [[ $(status_of web '.state + " " + .reason_code') == "failed unhealthy" ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$bad" ]]
}

# --- more than one ----------------------------------------------------------------------------------

@test "two services with two images, and the second is bad: both are back" {
    OLD=$(image_push "$IMAGE:stable" "v1")
    queue=$(image_push "$IMAGE/queue:stable" "queue v1")
    site_up <<YAML
services:
  web: {image: "$IMAGE:stable"}
  queue: {image: "$IMAGE/queue:stable"}
YAML
    drop_in web <<TOML
[compose]
directory = "$SITE"
services  = ["web", "queue"]
[health]
timeout = "10s"
settle  = "1s"
TOML
    image_push "$IMAGE:stable" "v2" >/dev/null
    bad=$(image_push "$IMAGE/queue:stable" "queue v2" --cmd 'exit 7')
    expect_exit 4 tally run
    says "ROLLED BACK"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$OLD" ]]
    [[ $(service_digests it "$NAME" queue "$IMAGE/queue") == "$queue" ]]
    [[ $(status_of web '.state + " " + (.quarantined | join(" "))') == "rolled_back $bad" ]]
    [[ $(status_of web .error.message) == *"$NAME-queue-1"* ]]
    [[ $(container_names "$NAME") == "$NAME-queue-1 $NAME-web-1" ]]
    stays_back
}

@test "two projects that share a reference, and it is bad in the second: both are back" {
    OLD=$(image_push "$IMAGE:stable" "v1")
    for each in a b; do
        mkdir "$SITE/$each"
        cat >"$SITE/$each/compose.yaml" <<YAML
services: {web: {image: "$IMAGE:stable", environment: {WHERE: "$each"}}}
YAML
        compose it "$E2E_COMPOSE" "$SITE/$each" -p "$NAME$each" up -d
        drop_in "web-$each" <<TOML
[compose]
project  = "$NAME$each"
services = ["web"]
[health]
timeout = "10s"
settle  = "1s"
TOML
    done
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'test $WHERE = a || exit 7; exec httpd -f -p 80 -h /www')
    expect_exit 4 tally run
    for each in a b; do
        [[ $(service_digests it "$NAME$each" web "$IMAGE") == "$OLD" ]]
        [[ $(status_of "web-$each" '.state + " " + (.quarantined | join(" "))') == "rolled_back $bad" ]]
        [[ $(container_names "$NAME$each") == "$NAME$each-web-1" ]]
    done
    expect_exit 0 tally run
    says "2 quarantined"
    good=$(image_push "$IMAGE:stable" "v3")
    expect_exit 0 tally run
    for each in a b; do
        [[ $(service_digests it "$NAME$each" web "$IMAGE") == "$good" ]]
        remove_project "$NAME$each"
    done
}

@test "who depends on it with restart: true is restarted after the gate, and not recreated" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    image_push "$HUB/team/app:1" "app" --cmd 'sleep 100000' >/dev/null
    site_up <<YAML
services:
  web: {image: "$IMAGE:stable"}
  app: {image: "$HUB/team/app:1", depends_on: {web: {condition: service_started, restart: true}}}
  other: {image: "$HUB/team/app:1", depends_on: {web: {condition: service_started}}}
YAML
    BEFORE=$(service_ids it "$NAME")
    on_first_probe "started_at \"\$(service_ids it $NAME app)\" >$ETC/at_the_gate"
    TIMEOUT=60s guard "command = [\"$ETC/probe\"]"
    app=$(service_ids it "$NAME" app) other=$(service_ids it "$NAME" other)
    app_started=$(started_at "$app") other_started=$(started_at "$other")
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    [[ $(service_ids it "$NAME" app) == "$app" && $(service_ids it "$NAME" other) == "$other" ]]
    [[ $(started_at "$app") != "$app_started" ]]
    [[ $(started_at "$other") == "$other_started" ]]
    [[ $(cat "$ETC/at_the_gate") == "$app_started" ]]
}

# --- the old ones -----------------------------------------------------------------------------------

@test "a gate that the old containers do not pass either: it is said, and the old ones are back" {
    PUSH_OLD=(--http-status 500)
    guarded_web
    TIMEOUT=2s guard "http = [\"http://127.0.0.1:$PORT/\"]"
    image_push "$IMAGE:stable" "v2" --http-status 503 >/dev/null
    run tally run
    [[ $status -eq 1 || $status -eq 4 ]]
    says "failed before"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$OLD" ]]
    [[ $(container_names "$NAME") == "$NAME-web-1" ]]
}

@test "a gate that the old containers do not pass, and the new ones do: deployed" {
    PUSH_OLD=(--http-status 500)
    guarded_web
    guard "http = [\"http://127.0.0.1:$PORT/\"]"
    good=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    [[ $(status_of web .state) == updated ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$good" ]]
}

@test "the old image is gone, here and in the registry: failed; when the registry is back, so is the service" {
    guarded_web
    on_first_probe 'engine_docker it image prune -a -f; registry_stop hub; engine_docker it kill $new'
    TIMEOUT=60s guard "command = [\"$ETC/probe\"]"
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 1 tally run
    says FAILED
    [[ $(status_of web '.state + " " + .reason_code') == "failed rollback_failed" ]]
    [[ $(jq -r .run.result "$STATUS") == failed ]]
    hub_is_up
    run tally run
    engine_serves it "http://127.0.0.1:$PORT/" v1
    [[ $(container_names "$NAME") == "$NAME-web-1" ]]
}

# --- what is kept -----------------------------------------------------------------------------------

deploy() { # TEXT: prints the digest, which is deployed
    image_push "$IMAGE:stable" "$1"
    tally run >"$ETC/output" 2>&1 || fail_because "$1 was not deployed" "$ETC/output"
}

@test "keep = 1: the previous image stays, older ones that were deployed here go, what came otherwise stays" {
    KEEP=1 guarded_web
    by_hand=$(engine_docker it inspect -f '{{.Image}}' "$BEFORE")
    v2=$(deploy v2) v3=$(deploy v3)
    deploy v4 >/dev/null
    [[ $(engine_docker it image inspect "$IMAGE@$v3" | jq -r '.[0].RepoTags[]') == "$IMAGE:tallyman-rollback-"* ]]
    ! engine_docker it image inspect "$IMAGE@$v2" || fail_because "v2 is still here"
    engine_docker it image inspect "$by_hand"
    engine_serves it "http://127.0.0.1:$PORT/" v4
    [[ $(rollback_tags | wc -l) -le 2 ]] # v1 may have one: it does not count
}

@test "keep = 0: nothing that was deployed here is kept, and what came otherwise stays" {
    KEEP=0 guarded_web
    by_hand=$(engine_docker it inspect -f '{{.Image}}' "$BEFORE")
    v2=$(deploy v2)
    deploy v3 >/dev/null
    ! engine_docker it image inspect "$IMAGE@$v2" || fail_because "v2 is still here"
    engine_docker it image inspect "$by_hand"
    [[ $(rollback_tags | wc -l) -le 1 ]] # that of v1
}

@test "what is kept stays kept when the next one is rolled back" {
    guarded_web
    v2=$(deploy v2)
    kept=$(rollback_tags)
    [[ -n $kept ]]
    image_push "$IMAGE:stable" "v3" --cmd 'exit 1' >/dev/null
    expect_exit 4 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$v2" ]]
    [[ $(rollback_tags) == "$kept" ]]
}

# --- nothing was touched yet ------------------------------------------------------------------------

compose_wrapper_for_web() { # BEFORE_CONFIG: what happens between the check and the pull
    compose_wrapper "$1" true
    guard "[compose]" "command = [\"$ETC/compose\"]"
}

@test "the manifest is gone from the registry when it is pulled" {
    guarded_web
    new=$(image_push "$IMAGE:stable" "v2")
    compose_wrapper_for_web "curl -sS -X DELETE http://$HUB/v2/team/$NAME/manifests/$new >/dev/null"
    stays_pending pull_failed
    engine_serves it "http://127.0.0.1:$PORT/" v1

    image_push "$IMAGE:stable" "v3" >/dev/null
    expect_exit 0 tally run
    [[ $(status_of web .state) == updated ]]
}

@test "the registry goes away between the check and the pull" {
    guarded_web
    image_push "$IMAGE:stable" "v2" >/dev/null
    compose_wrapper_for_web "kill $(cat "$(registry_dir hub)/registry.pid")"
    stays_pending pull_failed
    hub_is_up
    compose_wrapper_for_web true
    expect_exit 0 tally run
    [[ $(status_of web .state) == updated ]]
    engine_serves it "http://127.0.0.1:$PORT/" v2
}

@test "a pull that is cut half way" {
    proxy=$(cut_proxy it hub)
    image_push "$IMAGE:stable" "v1" >/dev/null
    hub_image=$IMAGE IMAGE=$proxy/team/$NAME
    site_up <<<"services: {web: {image: \"$IMAGE:stable\"}}"
    BEFORE=$(service_ids it "$NAME")
    guard
    image_push "$hub_image:stable" "v2" --ballast 8000000 >/dev/null
    echo 3000000 >"$PARTS/bridge/cut-after"
    stays_pending pull_failed
    rm "$PARTS/bridge/cut-after"
    expect_exit 0 tally run
    [[ $(status_of web .state) == updated ]]
}

@test "a disk that is too small: seen before the pull, or by the engine while it unpacks" {
    ENGINE=small
    mkdir -p "$(engine_dir small)/data"
    mount -t tmpfs -o size=24m tmpfs "$(engine_dir small)/data"
    engine_start small "$E2E_ENGINE" "$E2E_STORE"
    image_push "$IMAGE:stable" "v1" >/dev/null
    echo "services: {web: {image: \"$IMAGE:stable\"}}" >"$SITE/compose.yaml"
    compose small "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d
    BEFORE=$(service_ids small "$NAME")
    guard
    TALLY_ENV=(DOCKER_HOST="unix://$(engine_socket small)")

    image_push "$IMAGE:stable" "v2" --ballast 40000000 >/dev/null
    registry_requests_reset hub
    stays_pending no_space
    ! registry_requests hub | grep "GET /v2/team/$NAME/blobs/" || fail_because "something was pulled"

    image_push "$IMAGE:stable" "v3" --padding 60000000 >/dev/null # a few kB to pull
    stays_pending no_space pull_failed

    image_push "$IMAGE:stable" "v4" >/dev/null
    expect_exit 0 tally run
    [[ $(status_of web .state) == updated ]]
    engine_stop small
}

# --- told to stop -----------------------------------------------------------------------------------

@test "SIGTERM while it settles: the step is finished, and the status file is written" {
    guarded_web
    on_first_probe true
    TIMEOUT=60s SETTLE=3s guard "command = [\"$ETC/probe\"]"
    good=$(image_push "$IMAGE:stable" "v2")
    tally run >"$ETC/first.out" 2>&1 &
    first=$!
    wait_until "it settles" "$ETC/first.out" test -e "$ETC/probed"
    pkill -TERM -f -- "^$TALLYMAN --config $ETC "
    wait "$first"
    [[ $(status_of web .state) == updated ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$good" ]]
    [[ $(container_names "$NAME") == "$NAME-web-1" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v2
}
