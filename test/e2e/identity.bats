#!/usr/bin/env bats
# What runs, under whatever name the engine knows it: what E2E_ENGINE and E2E_STORE name, and a real registry. What moved for
# other platforms or attestations only is in deploy.bats.

load lib/parts
load lib/tallyman

setup_file() {
    tallyman_setup_file
    registry_start locked htpasswd
}
setup() { tallyman_setup; }
teardown() { tallyman_teardown; }
teardown_file() { parts_stop; }

web_site() {
    site_up <<YAML
services:
  web: {image: "$IMAGE:stable", ports: ["127.0.0.1:$PORT:80"]}
YAML
}
# states: "name:state:reason_code" of all services
states() { jq -r '[.services[] | .name + ":" + .state + ":" + .reason_code] | join(" ")' "$STATUS"; }

@test "an image with several names: the container's own decides" {
    digest=$(image_push "$IMAGE:stable" v1)
    web_site
    # Its other names mean other things elsewhere by now, and its own means something else here.
    image_push "$HUB/team/other-$NAME:stable" "not this one" >/dev/null
    engine_docker it tag "$IMAGE:stable" "$HUB/team/other-$NAME:stable"
    engine_docker it tag "$IMAGE:stable" "$NAME-app:latest"
    other=$(image_load it "$NAME-else:1" "something else" >/dev/null && echo "$NAME-else:1")
    engine_docker it tag "$other" "$IMAGE:stable"
    drop_in web <<<"image = \"$IMAGE:stable\""
    before=$(service_ids it "$NAME")
    expect_exit 0 tally run
    [[ $(states) == web:current:* ]]
    [[ $(service_ids it "$NAME") == "$before" ]]
    new=$(image_push "$IMAGE:stable" v2)
    expect_exit 0 tally run
    says "1 updated"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    # Nobody took its other names from the old image.
    [[ $(engine_docker it run --rm "$NAME-app:latest" cat /www/index.html) == v1 ]]
}

@test "an image that was tagged here and never pulled under that name" {
    image_push "$IMAGE:stable" v1 >/dev/null
    image_push "$HUB/team/copy-$NAME:stable" v1 --label is=another >/dev/null
    engine_docker it pull -q "$IMAGE:stable"
    engine_docker it tag "$IMAGE:stable" "$HUB/team/copy-$NAME:stable"
    cat >"$SITE/compose.yaml" <<YAML
services: {web: {image: "$HUB/team/copy-$NAME:stable"}}
YAML
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d --pull never
    drop_in web <<<"image = \"$HUB/team/copy-$NAME:stable\""
    expect_exit 0 tally check
    says pending
    image_push "$HUB/team/copy-$NAME:stable" v1 >/dev/null # the same image
    expect_exit 0 tally check
    says current
}

@test "the tag moved on here: the running image is known all the same, and deployed over" {
    image_push "$IMAGE:stable" v1 --label org.opencontainers.image.version=v1 >/dev/null
    web_site
    drop_in web <<<"image = \"$IMAGE:stable\""
    new=$(image_push "$IMAGE:stable" v2 --label org.opencontainers.image.version=v2)
    engine_docker it pull -q "$IMAGE:stable"
    expect_exit 0 tally check
    says pending "${new:7:8}"
    expect_exit 0 tally run
    says "1 updated"
    engine_serves it "http://127.0.0.1:$PORT/" v2
}

@test "no name at all: what runs is still told from what the registry has" {
    image_push "$IMAGE:stable" v1 >/dev/null
    web_site
    drop_in web <<<"image = \"$IMAGE:stable\""
    engine_docker it rmi -f "$IMAGE:stable"
    before=$(service_ids it "$NAME")
    expect_exit 0 tally run
    says "1 current"
    [[ $(service_ids it "$NAME") == "$before" ]]
    image_push "$IMAGE:stable" v2 >/dev/null
    expect_exit 0 tally run
    says "1 updated"
    engine_serves it "http://127.0.0.1:$PORT/" v2
}

@test "created by id, all of it or the beginning: reported, and nobody is asked" {
    image_push "$IMAGE:stable" v1 >/dev/null
    engine_docker it pull -q "$IMAGE:stable"
    id=$(engine_docker it image inspect -f '{{.Id}}' "$IMAGE:stable")
    for each in "full $id" "short ${id:7:12}"; do
        engine_docker it run -d --label com.docker.compose.project="$NAME" \
            --label com.docker.compose.service="${each% *}" "${each#* }"
        drop_in "${each% *}" <<<"[compose]
project = \"$NAME\"
services = [\"${each% *}\"]"
    done
    registry_requests_reset hub
    before=$(service_ids it "$NAME")
    expect_exit 0 tally run
    [[ $(states) == "full:pending:unmanaged short:pending:unmanaged" ]]
    ! registry_requests hub | grep /team/ || false
    [[ $(service_ids it "$NAME") == "$before" ]]
}

@test "pinned with its tag: the tag may move" {
    digest=$(image_push "$IMAGE:stable" v1)
    site_up <<<"services: {web: {image: \"$IMAGE:stable@$digest\"}}"
    drop_in web <<<"image = \"$IMAGE:stable\""
    image_push "$IMAGE:stable" v2 >/dev/null
    before=$(service_ids it "$NAME")
    registry_requests_reset hub
    expect_exit 0 tally run
    [[ $(states) == web:pinned:by_digest ]]
    ! registry_requests hub | grep /team/ || false
    [[ $(service_ids it "$NAME") == "$before" ]]
}

@test "built here under a name of a registry that shows nothing to strangers" {
    image=$(registry_address locked)/team/$NAME:dev
    image_load it "$image" "built here" >/dev/null
    engine_docker it run -d --name "$NAME-dev" "$image"
    drop_in dev <<<"image = \"$image\""
    if [[ $E2E_STORE == containerd ]]; then
        # There nothing shows that it was never pulled, and a wrong login must not look like this.
        expect_exit 1 tally run
        [[ $(states) == dev:unknown:registry_error ]]
    else
        expect_exit 0 tally run
        [[ $(states) == dev:local:built_here ]]
    fi
    engine_docker it rm -f "$NAME-dev"
}

@test "stable_checks: a tag that flips is not followed, one that stays is" {
    old=$(image_push "$IMAGE:stable" v1)
    web_site
    drop_in web <<TOML
image = "$IMAGE:stable"
stable_checks = 2
TOML
    before=$(service_ids it "$NAME")
    new=$(image_push "$IMAGE:stable" v2)
    for _ in 1 2; do # these count for nothing
        expect_exit 0 tally check --exit-code
        says "${new:7:12} was seen in 0 of 2 checks"
        expect_exit 0 tally run --dry-run
    done
    expect_exit 0 tally run
    says "${new:7:12} was seen in 1 of 2 checks"
    [[ $(states) == web:pending:not_yet_stable ]]
    image_tag "$IMAGE:stable" "$old"
    expect_exit 0 tally run
    says "1 current"
    image_tag "$IMAGE:stable" "$new"
    expect_exit 0 tally run
    says "was seen in 1 of 2 checks"
    [[ $(service_ids it "$NAME") == "$before" ]]
    expect_exit 0 tally run
    says "1 updated"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
}
