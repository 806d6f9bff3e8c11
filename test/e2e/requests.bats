#!/usr/bin/env bats
# What a tick asks registries for, counted in the logs of real ones.

load lib/parts
load lib/tallyman

setup_file() {
    tallyman_setup_file
    registry_start secure open --tls
    registry_start tokens token
    relay_start "$(registry_port secure)"
    trusting_tallyman
}
setup() { tallyman_setup; }
teardown() { tallyman_teardown; }
teardown_file() {
    stop_daemon "$PARTS/relay.pid"
    parts_stop
}

# A relay in the engine's network namespace, which counts connections to the registry on PORT.
relay_start() { # PORT
    free_port >"$PARTS/relay-port"
    start_daemon "$PARTS" relay nsenter --net="/run/netns/$(engine_netns it)" \
        python3 -I "$E2E_SUPPORT/relay.py" "$(cat "$PARTS/relay-port")" "$1" 0 "$PARTS/relay"
    wait_until "the relay" "$PARTS/relay.log" grep -q ready "$PARTS/relay.log"
}
connections() { grep -c connection "$PARTS/relay.log" || true; }

# A tallyman that trusts the tests' CA as it trusts those of the system.
trusting_tallyman() {
    local bundle=/etc/ssl/certs/ca-certificates.crt
    cat "$bundle" "$(registry_ca)" >"$PARTS/bundle.pem"
    cat >"$PARTS/tallyman" <<SCRIPT
#!/bin/bash
exec unshare --mount --propagation private bash -c 'mount --bind "$PARTS/bundle.pem" $bundle && exec "$TALLYMAN" "\$@"' bash "\$@"
SCRIPT
    chmod 755 "$PARTS/tallyman"
}

# deploy_from ADDRESS PUSH_ADDRESS FOLDER: three services of two images, each with its drop-in
deploy_from() {
    local each
    for each in web api; do
        image_push "$2/$3/$NAME-$each:1" "$each" >/dev/null
        engine_docker it pull -q "$1/$3/$NAME-$each:1"
    done
    site_up <<YAML
services:
  web: {image: "$1/$3/$NAME-web:1"}
  worker: {image: "$1/$3/$NAME-web:1"}
  api: {image: "$1/$3/$NAME-api:1"}
YAML
    for each in web worker api; do
        printf '[compose]\ndirectory = "%s"\nservices = ["%s"]\n' "$SITE" "$each" | drop_in "$each"
    done
}

# asked HEADS TOKENS REFUSED: how often each was answered
asked() {
    run registry_requests tokens
    [[ $(grep -c '^HEAD .* 200$' <<<"$output") -eq $1 && $(grep -c '^GET /token.* 200$' <<<"$output") -eq $2 &&
        $(grep -c ' 401$' <<<"$output") -eq $3 && ${#lines[@]} -eq $(($1 + $2 + $3)) ]] || fail_because "$output"
}

@test "a warm tick is one HEAD for each reference on one connection, however many services use it" {
    TALLYMAN=$PARTS/tallyman
    deploy_from "127.0.0.1:$(cat "$PARTS/relay-port")" "$(registry_address secure)" team
    expect_exit 0 tally run
    registry_requests_reset secure
    before=$(connections)
    expect_exit 0 tally run
    says "3 current"
    run registry_requests secure
    [[ $(sort <<<"$output") == "HEAD /v2/team/$NAME-api/manifests/1 200
HEAD /v2/team/$NAME-web/manifests/1 200" ]] || fail_because "$output"
    [[ $(($(connections) - before)) -eq 1 ]] || fail_because "$(($(connections) - before)) connections"
}

@test "the first tick asks nothing else either" {
    TALLYMAN=$PARTS/tallyman
    deploy_from "127.0.0.1:$(cat "$PARTS/relay-port")" "$(registry_address secure)" team
    registry_requests_reset secure
    expect_exit 0 tally run
    run registry_requests secure
    [[ ${#lines[@]} -eq 2 && $output != *GET* ]] || fail_because "$output"
}

@test "a warm tick draws no 401, and asks for one token for several repositories" {
    printf '[registry."%s"]\nplain_http = true\n' "$(registry_address tokens)" >"$ETC/tallyman.toml"
    deploy_from "$(registry_address tokens)" "$(registry_address tokens)" public
    expect_exit 0 tally run
    registry_requests_reset tokens
    expect_exit 0 tally run
    says "3 current"
    asked 2 1 0
}

@test "where one token is for one repository only, that is found out once" {
    registry_user tokens narrow '{"scopes": 1}'
    printf '[registry."%s"]\nplain_http = true\nusername = "narrow"\npassword_file = "%s"\n' \
        "$(registry_address tokens)" "$(registry_dir tokens)/narrow.password" >"$ETC/tallyman.toml"
    chmod 600 "$(registry_dir tokens)/narrow.password"
    deploy_from "$(registry_address tokens)" "$(registry_address tokens)" public
    expect_exit 0 tally run
    registry_requests_reset tokens
    expect_exit 0 tally run
    says "3 current"
    asked 2 2 1
    registry_requests_reset tokens
    expect_exit 0 tally run
    asked 2 2 0
}

@test "hundreds of references are asked for on one connection, with one token for ten" {
    run "$E2E_SUPPORT/../bench/check.sh" --n 250 --rtt 20 --runs 1
    [[ $status -eq 0 && $output =~ tallyman.*" 1 conn  250 HEAD"$'\n' ]] || fail_because "$output"
    run "$E2E_SUPPORT/../bench/check.sh" --n 250 --rtt 20 --runs 1 --token
    [[ $status -eq 0 && $output =~ tallyman.*" 1 conn  250 HEAD, 25 token"$'\n' ]] || fail_because "$output"
}

@test "a service that is gone is not asked for, from the second tick on" {
    TALLYMAN=$PARTS/tallyman
    deploy_from "127.0.0.1:$(cat "$PARTS/relay-port")" "$(registry_address secure)" team
    expect_exit 0 tally run
    service_ids it "$NAME" api | xargs "$(_engine_cli it)" -H "unix://$(engine_socket it)" stop -t 0
    tally run
    registry_requests_reset secure
    expect_exit 0 tally run
    run registry_requests secure
    [[ $output == "HEAD /v2/team/$NAME-web/manifests/1 200" ]] || fail_because "$output"
}
