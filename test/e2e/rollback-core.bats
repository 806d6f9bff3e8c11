#!/usr/bin/env bats
# No deployment leaves a service broken: what every engine, image store and compose must show. The rest is in rollback.bats.
# shellcheck disable=SC2016 # what is in single quotes is for other shells

load lib/parts
load lib/tallyman
load lib/rollback

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() {
    hub_is_up
    tallyman_teardown
}
teardown_file() { parts_stop; }

@test "an image that exits at once: the old one is back, the next tick leaves it alone, a newer digest is deployed" {
    guarded_web
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'echo broken beyond words; exit 7')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    blames "exited with status 7"
    has_evidence "broken beyond words" 7
    [[ $(container_names "$NAME") == "$(canonical "$NAME" web 1)" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1

    stays_back
    expect_exit 0 tally status
    says quarantined

    good=$(image_push "$IMAGE:stable" "v3")
    expect_exit 0 tally run
    says UPDATED
    [[ $(status_of web '.state + " " + (.quarantined | tostring)') == "updated []" ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$good" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v3
}

@test "an image without the program that it names: compose fails, and the old one is back" {
    guarded_web
    bad=$(image_push "$IMAGE:stable" "v2" --cmd '["/bin/nonesuch"]')
    expect_exit 4 tally run
    rolled_back recreate_failed "$bad"
    [[ $(status_of web .error.message) == *nonesuch* ]]
    [[ $(container_names "$NAME") == "$(canonical "$NAME" web 1)" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1
    stays_back
}

@test "two replicas and a sibling: both are back under their names, and the sibling was never touched" {
    OLD=$(image_push "$IMAGE:stable" "v1")
    image_push "$HUB/team/sibling:1" "sibling" >/dev/null
    site_up --scale web=2 <<YAML
version: "3.7"
services:
  web: {image: "$IMAGE:stable"}
  sibling: {image: "$HUB/team/sibling:1"}
YAML
    guard
    sibling=$(service_ids it "$NAME" sibling)
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'exit 1')
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    [[ $(service_ids it "$NAME" web | wc -l) == 2 ]]
    [[ $(service_ids it "$NAME" sibling) == "$sibling" ]]
    [[ $(container_names "$NAME") == "$(canonical "$NAME" sibling 1) $(canonical "$NAME" web 1) $(canonical "$NAME" web 2)" ]]
}

@test "images are pruned and the registry goes away while it settles: the old one is back all the same" {
    guarded_web
    on_first_probe 'engine_docker it image prune -f; registry_stop hub; engine_docker it kill $new'
    guard "command = [\"$ETC/probe\"]"
    bad=$(image_push "$IMAGE:stable" "v2")
    expect_exit 4 tally run
    [[ -e $ETC/probed ]]
    rolled_back unhealthy "$bad"
    engine_serves it "http://127.0.0.1:$PORT/" v1
    hub_is_up
    stays_back
}

@test "all unused images are pruned while it settles: the old digest is pulled again" {
    guarded_web
    on_first_probe 'engine_docker it image prune -a -f; engine_docker it kill $new'
    guard "command = [\"$ETC/probe\"]"
    bad=$(image_push "$IMAGE:stable" "v2")
    expect_exit 4 tally run
    grep -q 'ntagged: .*tallyman-rollback-' "$ETC/probe.log"
    rolled_back unhealthy "$bad"
    engine_serves it "http://127.0.0.1:$PORT/" v1
}

@test "a healthy image that starts slowly is waited for" {
    guarded_web
    good=$(image_push "$IMAGE:stable" "v2" --cmd 'sleep 3; touch /tmp/ready; exec httpd -f -p 80 -h /www' \
        --healthcheck 'test -e /tmp/ready' --health-start-period 30000)
    expect_exit 0 tally run
    for step in pull recreate health settle; do grep -qE "^ +$step " <<<"$output"; done
    [[ $output =~ UPDATED.*down\ [0-9]+(\.[0-9]+)?\ (ms|s|min) ]]
    [[ $(status_of web '.state + " " + .containers[0].health') == "updated healthy" ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$good" ]]
    [[ $(container_names "$NAME") == "$(canonical "$NAME" web 1)" ]]
}

@test "services in the network namespace of one that is rolled back come along" {
    OLD=$(image_push "$IMAGE:stable" "v1")
    image_push "$HUB/team/app:1" "app" --cmd 'sleep 100000' >/dev/null
    site_up <<YAML
version: "3.7"
services:
  web: {image: "$IMAGE:stable", ports: ["127.0.0.1:$PORT:80"]}
  app: {image: "$HUB/team/app:1", network_mode: "service:web"}
YAML
    TIMEOUT=2s guard "http = [\"http://127.0.0.1:$PORT/\"]"
    bad=$(image_push "$IMAGE:stable" "v2" --http-status 500)
    expect_exit 4 tally run
    rolled_back unhealthy "$bad"
    web=$(service_ids it "$NAME" web) app=$(service_ids it "$NAME" app)
    [[ $(engine_docker it inspect -f '{{.HostConfig.NetworkMode}}' "$app") == "container:$web" ]]
    [[ $(engine_docker it exec "$app" wget -q -O- http://127.0.0.1/) == v1 ]]
    [[ $(container_names "$NAME") == "$(canonical "$NAME" app 1) $(canonical "$NAME" web 1)" ]]
}
