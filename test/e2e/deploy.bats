#!/usr/bin/env bats
# The main job, end to end: what E2E_ENGINE, E2E_STORE and E2E_COMPOSE name, a real registry and tallyman. What depends on these
# parts is tagged so: CI runs it with all of them, and the rest once.

load lib/parts
load lib/tallyman

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { tallyman_teardown; }
teardown_file() { parts_stop; }

# web on $PORT, with a sibling of another image that must never be touched
web_with_sibling() {
    image_push "$HUB/team/sibling:1" "sibling" >/dev/null
    site_up <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
    ports: ["127.0.0.1:$PORT:80"]
  sibling:
    image: $HUB/team/sibling:1
YAML
}

@test "unchanged: one HEAD, nothing is pulled, recreated or restarted" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    drop_in web <<<"image = \"$IMAGE:stable\""
    before=$(service_ids it "$NAME")
    registry_requests_reset hub
    expect_exit 0 tally run
    says "1 current"
    [[ $(registry_requests hub | grep /team/) == "HEAD /v2/team/$NAME/manifests/stable 200" ]]
    [[ $(service_ids it "$NAME") == "$before" ]]
    [[ $(status_of web .state) == current ]]
    [[ $(jq -r .run.result "$STATUS") == ok ]]
}

# bats test_tags=parts
@test "changed: exactly that service is recreated, to exactly that digest" {
    image_push "$IMAGE:stable" "v1" --label org.opencontainers.image.version=v1 >/dev/null
    web_with_sibling
    engine_serves it "http://127.0.0.1:$PORT/" v1
    drop_in web <<<"image = \"$IMAGE:stable\""
    web=$(service_ids it "$NAME" web) sibling=$(service_ids it "$NAME" sibling)
    new=$(image_push "$IMAGE:stable" "v2" --label org.opencontainers.image.version=v2)

    expect_exit 10 tally check --exit-code
    says pending "${new:7:8}"
    expect_exit 0 tally check
    [[ $(service_ids it "$NAME" web) == "$web" ]]

    expect_exit 0 tally run
    says UPDATED "1/1 verified" "1 updated"
    [[ $(service_ids it "$NAME" web) != "$web" ]]
    [[ $(service_ids it "$NAME" sibling) == "$sibling" ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v2
    [[ $(status_of web .state) == updated ]]
    [[ $(status_of web '.images[0].running.digest') == "$new" ]]
    [[ $(status_of web '.images[0].running.version') == v2 ]]
    [[ $(status_of web ".last_good.digests[\"$IMAGE:stable\"]") == "$new" ]]

    web=$(service_ids it "$NAME" web)
    expect_exit 0 tally run
    says "1 current"
    [[ $(service_ids it "$NAME" web) == "$web" ]]
    expect_exit 0 tally status
    says current "v2 ${new:7:8}"
}

# bats test_tags=parts
@test "two replicas, in the file or scaled by hand: both are there afterwards, on the new digest" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    site_up --scale web=2 <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
YAML
    drop_in web <<<"image = \"$IMAGE:stable\""
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    says "2/2 verified"
    [[ $(service_ids it "$NAME" web | wc -l) == 2 ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    [[ $(status_of web '.containers | length') == 2 ]]
}

@test "two services of one image: both" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    site_up <<YAML
version: "3.7"
services:
  web: {image: "$IMAGE:stable"}
  worker: {image: "$IMAGE:stable"}
YAML
    drop_in web <<<"image = \"$IMAGE:stable\""
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    says "2/2 verified"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    [[ $(service_digests it "$NAME" worker "$IMAGE") == "$new" ]]
}

@test "two projects from two drop-ins: both, each with its own files" {
    image_push "$IMAGE:stage" "stage1" >/dev/null
    image_push "$IMAGE:prod" "prod1" >/dev/null
    mkdir "$SITE/stage" "$SITE/prod"
    for each in stage prod; do
        echo "TAG=$each" >"$SITE/$each/private.env"
        cat >"$SITE/$each/docker-compose.$each.yml" <<YAML
version: "3.7"
services:
  api:
    image: $IMAGE:\${TAG}
    environment: {WHERE: $each}
YAML
        compose it "$E2E_COMPOSE" "$SITE/$each" -p "$NAME$each" -f "docker-compose.$each.yml" --env-file private.env up -d
        drop_in "api-$each" <<TOML
[compose]
directory = "$SITE/$each"
project   = "$NAME$each"
files     = ["docker-compose.$each.yml"]
env_files = ["private.env"]
services  = ["api"]
TOML
    done
    stage=$(image_push "$IMAGE:stage" "stage2")
    prod=$(image_push "$IMAGE:prod" "prod2")
    expect_exit 0 tally run
    says "2 updated"
    [[ $(service_digests it "${NAME}stage" api "$IMAGE") == "$stage" ]]
    [[ $(service_digests it "${NAME}prod" api "$IMAGE") == "$prod" ]]
    for each in stage prod; do
        id=$(service_ids it "$NAME$each" api)
        engine_docker it inspect "$id" | grep -qF "WHERE=$each"
    done
    remove_project "${NAME}stage"
    remove_project "${NAME}prod"
}

# bats test_tags=parts
@test "the folder alone is enough: files and env file come from the containers' labels" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    mkdir "$SITE/deep"
    echo "TAG=stable" >"$SITE/deep/channel.env"
    cat >"$SITE/base.yaml" <<YAML
version: "3.7"
services: {web: {image: "$IMAGE:\${TAG}"}}
YAML
    cat >"$SITE/more.yaml" <<YAML
version: "3.7"
services: {web: {environment: {MORE: "yes"}}}
YAML
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" -f base.yaml -f more.yaml --env-file "$SITE/deep/channel.env" up -d
    drop_in web <<TOML
[compose]
directory = "$SITE"
services  = ["*"]
TOML
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    engine_docker it inspect "$(service_ids it "$NAME" web)" | grep -qF 'MORE=yes'
}

@test "a service that was stopped stays stopped" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    drop_in web <<<"image = \"$IMAGE:stable\""
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" stop -t 1 web
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    says "1 absent (web)"
    [[ -z $(service_ids it "$NAME" web) ]]
    [[ $(status_of web .state) == absent ]]
    [[ $(jq -r .run.result "$STATUS") == attention ]]
}

@test "the tag moves again between check and pull: what was checked is deployed" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    site_up <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
    $([[ $E2E_COMPOSE == v1 ]] || echo "pull_policy: always")
    ports: ["127.0.0.1:$PORT:80"]
YAML
    later=$(image_push "$IMAGE" "v3")
    new=$(image_push "$IMAGE:stable" "v2")
    # Compose's own first look at the files lies between the check and the pull.
    compose_wrapper "curl -sS -X PUT --data-binary @$ETC/later.json -H 'Content-Type: application/vnd.docker.distribution.manifest.v2+json' \
        http://$HUB/v2/team/$NAME/manifests/stable" true
    curl -sSf "http://$HUB/v2/team/$NAME/manifests/$later" -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
        -o "$ETC/later.json"
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
command = ["$ETC/compose"]
TOML
    expect_exit 0 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v2
    grep -qx -- --no-build "$ETC/calls"

    expect_exit 0 tally run # and the next tick brings what came meanwhile
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$later" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v3
}

# bats test_tags=parts
@test "an index that moved for another platform, or for attestations only, is no update" {
    amd=$(image_push "$IMAGE" "amd" --oci)
    arm=$(image_push "$IMAGE" "arm" --oci --platform linux/arm64/v8)
    image_index "$IMAGE:stable" --oci "linux/amd64=$amd" "linux/arm64/v8=$arm" >/dev/null
    web_with_sibling
    drop_in web <<<"image = \"$IMAGE:stable\""
    expect_exit 0 tally run
    says "1 current"
    before=$(service_ids it "$NAME")

    arm=$(image_push "$IMAGE" "arm again" --oci --platform linux/arm64/v8)
    image_index "$IMAGE:stable" --oci "linux/amd64=$amd" "linux/arm64/v8=$arm" "attestation=$amd" >/dev/null
    expect_exit 0 tally run
    says "1 current"
    [[ $(service_ids it "$NAME") == "$before" ]]
    [[ $(status_of web .reason_code) == same_content ]]

    registry_requests_reset hub
    expect_exit 0 tally run
    [[ $(registry_requests hub | grep /team/) == "HEAD /v2/team/$NAME/manifests/stable 200" ]]
    [[ $(service_ids it "$NAME") == "$before" ]]

    new=$(image_push "$IMAGE" "amd again" --oci)
    index=$(image_index "$IMAGE:stable" --oci "linux/amd64=$new" "linux/arm64/v8=$arm")
    expect_exit 0 tally run
    says "1 updated"
    [[ $(status_of web '.images[0].running.digest') == "$index" ]]
}

@test "a variable that lived in a shell: refused untouched, and repaired by [compose] environment" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    image_push "$IMAGE:latest" "wrong" >/dev/null
    cat >"$SITE/compose.yaml" <<YAML
version: "3.7"
services: {web: {image: "$IMAGE:\${CHANNEL:-latest}"}}
YAML
    (cd "$SITE" && engine_run it "$E2E_COMPOSE" CHANNEL=stable \
        $([[ $E2E_COMPOSE == v2 ]] && echo docker compose || echo docker-compose) -p "$NAME" up -d)
    drop_in web <<<"image = \"$IMAGE:stable\""
    before=$(service_ids it "$NAME")
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 1 tally run
    says "PENDING, preflight failed" "$IMAGE:latest" "$IMAGE:stable" "[compose] environment"
    [[ $(service_ids it "$NAME") == "$before" ]]
    [[ $(status_of web .reason_code) == preflight_failed ]]
    expect_exit 1 tally run --dry-run
    says "would not deploy"

    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
environment = { CHANNEL = "stable" }
TOML
    expect_exit 0 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
}

# bats test_tags=parts
@test "services in the network namespace of a recreated one come along" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    image_push "$HUB/team/app:1" "app" --cmd 'sleep 100000' >/dev/null
    site_up <<YAML
version: "3.7"
services:
  web: {image: "$IMAGE:stable"}
  app: {image: "$HUB/team/app:1", network_mode: "service:web"}
YAML
    drop_in web <<<"image = \"$IMAGE:stable\""
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    web=$(service_ids it "$NAME" web) app=$(service_ids it "$NAME" app)
    [[ $(engine_docker it inspect -f '{{.HostConfig.NetworkMode}}' "$app") == "container:$web" ]]
    [[ $(engine_docker it exec "$app" wget -q -O- http://127.0.0.1/) == v2 ]]
}

@test "an up that changes nothing is no success" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    compose_wrapper true "exit 0"
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
command = ["$ETC/compose"]
TOML
    image_push "$IMAGE:stable" "v2" >/dev/null
    before=$(service_ids it "$NAME")
    expect_exit 4 tally run
    says "ROLLED BACK, not recreated" "tried again by a later run"
    [[ $(status_of web .state) == rolled_back ]]
    [[ $(jq -r .run.result "$STATUS") == attention ]]
    [[ $(service_ids it "$NAME") == "$before" ]]
}

@test "a failing up is no success, and compose's words are in the message and in the log" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    compose_wrapper true "echo 'no way' >&2; exit 7"
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
command = ["$ETC/compose"]
TOML
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 4 tally run
    says "ROLLED BACK, recreate failed" "exit status 7" "compose $NAME: no way"
}

@test "mode notify reports, and touches nothing" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    drop_in web <<TOML
image = "$IMAGE:stable"
mode  = "notify"
TOML
    before=$(service_ids it "$NAME")
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    says "1 pending (web)" "mode is notify"
    [[ $(service_ids it "$NAME") == "$before" ]]
    [[ $(status_of web .update_available) == true ]]
    since=$(status_of web .pending_since)
    expect_exit 0 tally run
    [[ $since != null && $(status_of web .pending_since) == "$since" ]]
}

@test "changed by hand while the tag stands: left alone until it moves" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    drop_in web <<<"image = \"$IMAGE:stable\""
    old=$(engine_docker it inspect -f '{{.Image}}' "$(service_ids it "$NAME" web)")
    engine_docker it tag "$old" "$IMAGE:keep"
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    engine_docker it tag "$IMAGE:keep" "$IMAGE:stable"
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d web
    by_hand=$(service_ids it "$NAME" web)
    expect_exit 0 tally run
    says "1 pending (web)" "changed by hand"
    [[ $(service_ids it "$NAME" web) == "$by_hand" ]]
    new=$(image_push "$IMAGE:stable" "v3")
    expect_exit 0 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == *"$new"* ]]
}

# bats test_tags=parts
@test "pinned, local and unmanaged containers are never touched" {
    digest=$(image_push "$IMAGE:stable" "v1")
    engine_docker it run -d --name "$NAME-plain" "$IMAGE:stable"
    image_load it "$NAME-local:latest" "local" >/dev/null
    site_up <<YAML
version: "3.7"
services:
  pinned: {image: "$IMAGE@$digest"}
  built: {image: "$NAME-local:latest"}
YAML
    drop_in plain <<<"image = \"$IMAGE:stable\""
    drop_in pinned <<<"[compose]
project = \"$NAME\"
services = [\"pinned\"]"
    drop_in built <<<"[compose]
project = \"$NAME\"
services = [\"built\"]"
    before=$(engine_docker it ps -q --no-trunc | sort)
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    [[ $(status_of plain .reason_code) == unmanaged ]]
    [[ $(status_of pinned .state) == pinned ]]
    [[ $(status_of built .state) == local ]]
    [[ $(engine_docker it ps -q --no-trunc | sort) == "$before" ]]
    engine_docker it rm -f "$NAME-plain"
}

@test "run SERVICE deploys that one, and keeps the others' entries" {
    image_push "$IMAGE:a" "a1" >/dev/null
    image_push "$IMAGE:b" "b1" >/dev/null
    site_up <<YAML
version: "3.7"
services:
  a: {image: "$IMAGE:a"}
  b: {image: "$IMAGE:b"}
YAML
    drop_in a <<<"image = \"$IMAGE:a\""
    drop_in b <<<"image = \"$IMAGE:b\""
    expect_exit 0 tally run
    b=$(service_ids it "$NAME" b)
    new=$(image_push "$IMAGE:a" "a2")
    image_push "$IMAGE:b" "b2" >/dev/null
    expect_exit 0 tally run a
    [[ $(service_digests it "$NAME" a "$IMAGE") == "$new" ]]
    [[ $(service_ids it "$NAME" b) == "$b" ]]
    [[ $(jq -r '[.services[] | .name + ":" + .state] | join(" ")' "$STATUS") == "a:updated b:current" ]]
}

@test "dry run prints commands that work, and touches nothing" {
    image_push "$IMAGE:stable" "v1" >/dev/null
    web_with_sibling
    drop_in web <<<"image = \"$IMAGE:stable\""
    before=$(service_ids it "$NAME")
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run --dry-run
    says "pull $IMAGE@$new" "up -d --no-deps --no-build" "--scale web=1 web"
    [[ $(service_ids it "$NAME") == "$before" && ! -e $STATUS ]]
    # What it printed is what a person can paste.
    engine_docker it pull -q "$IMAGE@$new"
    engine_docker it tag "$IMAGE@$new" "$IMAGE:stable"
    command=$(sed -n 's/^  run  //p' <<<"$output")
    engine_run it "$E2E_COMPOSE" bash -c "$command"
    [[ $(service_digests it "$NAME" web "$IMAGE") == *"$new"* ]]
}

@test "explain shows both sides" {
    old=$(image_push "$IMAGE:stable" "v1")
    web_with_sibling
    drop_in web <<<"image = \"$IMAGE:stable\""
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally explain web
    says "web: pending (update_available)" "$new" "$old" differs "would run" "http, anonymous"
}
