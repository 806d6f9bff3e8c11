#!/usr/bin/env bats
# Proves the parts that the end-to-end tests stand on: engines, compose, registries, images.

load lib/parts

setup_file() {
    parts_init
    registry_start hub
    registry_start passwords htpasswd
    registry_start tokens token
    engine_start e20 20.10
    engine_start e26 26.1 overlay2
    engine_start e26c 26.1 containerd
    registry_start secure token --tls # after the engines: they must reach this one too
}
teardown() { parts_note_result; }
teardown_file() { parts_stop; }

# compose brings up an image that was just pushed, and it serves
brings_up() { # ENGINE v1|v2 PORT
    local folder=$PARTS/$1-$2 image digest
    mkdir "$folder"
    image=$(registry_address hub)/team/$1-$2
    digest=$(image_push "$image:stable" "v1 of $1 $2" --label org.opencontainers.image.version=v1)
    printf 'services: {web: {image: "%s:stable", ports: ["127.0.0.1:%s:80"]}}\n' "$image" "$3" >"$folder/compose.yaml"
    compose "$1" "$2" "$folder" up -d
    engine_serves "$1" "http://127.0.0.1:$3/" "v1 of $1 $2"
    [[ $(service_ids "$1" "$1-$2" web | wc -l) == 1 ]]
    [[ $(service_digests "$1" "$1-$2" web "$image") == "$digest" ]]
}

# a pull works with a login, and only with one
wants_login() { # ENGINE REGISTRY
    local image
    image=$(registry_address "$2")/team/web:1
    image_push "$image" "behind a password"
    run engine_docker "$1" pull -q "$image"
    [[ $status -ne 0 ]]
    login "$1" "$2"
    engine_docker "$1" pull -q "$image"
    logout "$1"
}

@test "engine 20.10 and compose v1" { brings_up e20 v1 8001; }
@test "engine 20.10 and compose v2" { brings_up e20 v2 8002; }
@test "engine 26.1 with overlay2 and compose v2" { brings_up e26 v2 8003; }
@test "engine 26.1 with the containerd store and compose v2" { brings_up e26c v2 8004; }

@test "the engines are what they say" {
    [[ $(engine_api e20 /version | jq -r .Version) == 20.10.* ]]
    [[ $(engine_api e26 /version | jq -r .Version) == 26.1.* ]]
    [[ $(engine_api e26 /info | jq -r .Driver) == overlay2 ]]
    [[ $(engine_api e26c /info | jq -c .DriverStatus) == *containerd.snapshotter* ]]
}

@test "a program under test finds just the compose that is meant" {
    engine_run e20 v1 docker-compose version
    run engine_run e20 v1 docker compose version
    [[ $status -ne 0 ]]
    engine_run e20 v2 docker compose version
    ! engine_run e20 v2 which docker-compose || false
    [[ $(engine_run e26 v2 A=b env | grep -E '^(A|DOCKER_HOST)=' | sort | xargs) == "A=b DOCKER_HOST=unix://$(engine_socket e26)" ]]
}

@test "a registry with passwords" { wants_login e20 passwords && wants_login e26 passwords && wants_login e26c passwords; }
@test "a registry with tokens" { wants_login e20 tokens && wants_login e26 tokens && wants_login e26c tokens; }
@test "a registry with tokens and TLS" { wants_login e20 secure && wants_login e26 secure && wants_login e26c secure; }

@test "with tokens, anybody may pull public/* and nothing else" {
    local image
    image=$(registry_address tokens)/public/web:1
    image_push "$image" "for all"
    engine_docker e26 pull -q "$image"
    login e26 tokens reader wrong
    run engine_docker e26 pull -q "$image"
    [[ $status -ne 0 ]]
    login e26 tokens # but the reader may not read what is not the team's
    image_push "$(registry_address tokens)/secret/web:1" "for few"
    run engine_docker e26 pull -q "$(registry_address tokens)/secret/web:1"
    [[ $status -ne 0 ]]
    logout e26
}

@test "requests are counted, also when they come from an engine" {
    local image
    image=$(registry_address hub)/team/count
    image_push "$image:1" "count me"
    registry_requests_reset hub
    [[ -z $(registry_requests hub) ]]
    curl -sSf -o "$PARTS/answer" -I "$(registry_url hub)/v2/team/count/manifests/1" \
        -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' # without, it tries to make a schema 1 of it: 400
    [[ $(registry_requests hub) == "HEAD /v2/team/count/manifests/1 "* ]]
    engine_docker e26c pull -q "$image:1"
    registry_requests hub | grep -q '^GET /v2/team/count/blobs/sha256:.* 200$'
    registry_requests_reset tokens
    run curl -s "$(registry_url tokens)/token?service=tests" -u reader:wrong
    [[ $(registry_requests tokens) == "GET /token?service=tests 401" ]]
    [[ $(registry_request_details tokens | jq -r .authorization) == Basic ]]
}

@test "a registry that was stopped comes back with its images" {
    image_push "$(registry_address hub)/team/back:1" "still here"
    registry_stop hub
    run curl -s "$(registry_url hub)/v2/"
    [[ $status -eq 7 ]] # refused
    registry_start hub
    engine_docker e20 pull -q "$(registry_address hub)/team/back:1"
}

@test "the same image has the same digest, another text another one; base layers are shared" {
    local image one two
    image=$(registry_address hub)/team/same
    one=$(image_push "$image:1" same)
    two=$(image_push "$image:2" same)
    [[ $one == "$two" && $one == sha256:* ]]
    [[ $(image_push "$image:2" other) != "$one" ]]
    image_tag "$image:2" "$one"
    [[ $(curl -sSI "$(registry_url hub)/v2/team/same/manifests/2" \
        -H 'Accept: application/vnd.docker.distribution.manifest.v2+json') == *"$one"* ]]
}

@test "an index with two platforms and an attestation" {
    local image amd arm index
    image=$(registry_address hub)/team/multi
    amd=$(image_push "$image" "multi amd64" --oci)
    arm=$(image_push "$image" "multi arm64" --oci --platform linux/arm64/v8)
    index=$(image_index "$image:1" --oci "linux/amd64=$amd" "linux/arm64/v8=$arm" "attestation=$amd")
    for engine in e20 e26 e26c; do
        engine_docker "$engine" pull -q "$image:1"
        [[ $(engine_docker "$engine" image inspect "$image:1" | jq -r '.[0].RepoDigests[0]') == "$image@$index" ]]
    done
    [[ $(engine_docker e26c run --rm "$image:1" cat /www/index.html) == "multi amd64" ]]
}

has_health() { [[ $(engine_docker "$1" inspect -f '{{.State.Health.Status}}' "$2") == "$3" ]]; }

@test "health checks, exit codes and local images" {
    local image
    image=$(registry_address hub)/team/health
    image_push "$image:good" good --healthcheck 'wget -q -O- http://127.0.0.1/'
    image_push "$image:bad" bad --healthcheck 'exit 1'
    image_push "$image:exits" exits --cmd 'exit 7'
    engine_docker e20 run -d --name good "$image:good"
    engine_docker e20 run -d --name bad "$image:bad"
    engine_docker e20 run -d --name exits "$image:exits"
    wait_until "it is healthy" "" has_health e20 good healthy
    wait_until "it is unhealthy" "" has_health e20 bad unhealthy
    [[ $(engine_docker e20 wait exits) == 7 ]]
    image_load e26c myapp:latest "built here"
    [[ $(engine_docker e26c run --rm myapp:latest cat /www/index.html) == "built here" ]]
}

@test "an engine that was killed starts again with its containers" {
    engine_docker e26 run -d --name stays --restart=always -p 127.0.0.1:8009:80 "$(registry_address hub)/team/back:1"
    engine_kill e26
    run engine_api e26 /_ping
    [[ $status -ne 0 ]]
    engine_start e26 26.1 overlay2
    engine_serves e26 http://127.0.0.1:8009/ "still here"
}
