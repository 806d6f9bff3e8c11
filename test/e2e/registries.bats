#!/usr/bin/env bats
# Registries with and without authentication, over http.

load lib/parts
load lib/tallyman

setup_file() {
    tallyman_setup_file
    registry_start passwords htpasswd
    registry_start tokens token
}
setup() { tallyman_setup; }
teardown() { tallyman_teardown; logout it; }
teardown_file() { parts_stop; }

# registry_section NAME [USER [PASSWORD]]: tallyman.toml for one of our registries
registry_section() {
    local user=${2:-reader}
    (umask 077 && echo "${3:-$(registry_password "$1" "$user")}" >"$ETC/secret")
    cat >"$ETC/tallyman.toml" <<TOML
[registry."$(registry_address "$1")"]
plain_http    = true
username      = "$user"
password_file = "$ETC/secret"
TOML
}

# The whole way with a password: check, pull by the engine with the same credential, recreate.
deploys_from() { # REGISTRY REPOSITORY
    local image new
    image=$(registry_address "$1")/$2
    image_push "$image:1" "v1" >/dev/null
    login it "$1" pusher
    engine_docker it pull -q "$image:1"
    logout it # from here on only tallyman knows a password
    site_up <<YAML
services: {web: {image: "$image:1"}}
YAML
    drop_in web <<<"image = \"$image:1\""
    new=$(image_push "$image:1" "v2")
    expect_exit 0 tally run
    says "1 updated"
    [[ $(service_digests it "$NAME" web "$image") == "$new" ]]
}

@test "htpasswd, with the password of a [registry] section" {
    registry_section passwords
    deploys_from passwords "team/$NAME"
    expect_exit 0 tally explain web
    says "http as reader"
}

@test "tokens, with the password of a [registry] section" {
    registry_section tokens
    deploys_from tokens "team/$NAME"
}

@test "tokens, anonymously" {
    printf '[registry."%s"]\nplain_http = true\n' "$(registry_address tokens)" >"$ETC/tallyman.toml"
    deploys_from tokens "public/$NAME"
    expect_exit 0 tally explain web
    says "http, anonymous"
}

@test "credentials of the Docker config.json, where http is allowed" {
    printf '[registry."%s"]\nplain_http = true\n' "$(registry_address passwords)" >"$ETC/tallyman.toml"
    image=$(registry_address passwords)/team/$NAME:1
    digest=$(image_push "$image" "v1")
    expect_exit 1 tally digest "$image"
    says "$(registry_address passwords)" "no credential"
    login it passwords
    expect_exit 0 tally digest "$image"
    [[ ${lines[-1]} == "$digest" ]] || fail_because "$output"
    says "config.json" # others can read it, and that is said
}

@test "credentials are not sent over http where only the engine says insecure" {
    image=$(registry_address passwords)/team/$NAME:1
    image_push "$image" "v1" >/dev/null
    login it passwords
    registry_requests_reset passwords
    expect_exit 1 tally digest "$image"
    says "plain_http = true"
    ! registry_requests passwords | grep -q ' 200$' || fail_because "somebody was let in"
    # without a password it works as docker pull does
    digest=$(image_push "$HUB/team/$NAME:1" "v1")
    expect_exit 0 tally digest "$HUB/team/$NAME:1"
    [[ $output == "$digest" ]]
}

@test "a wrong password: auth, nothing is touched" {
    registry_section passwords
    image=$(registry_address passwords)/team/$NAME
    image_push "$image:1" "v1" >/dev/null
    login it passwords
    engine_docker it pull -q "$image:1"
    site_up <<YAML
services: {web: {image: "$image:1"}}
YAML
    before=$(service_ids it "$NAME")
    drop_in web <<<"image = \"$image:1\""
    image_push "$image:1" "v2" >/dev/null
    for registry in passwords tokens; do
        registry_section "$registry" reader wrong-password
        expect_exit 1 tally digest "$(registry_address "$registry")/team/$NAME:1"
        says "$(registry_address "$registry")" rejected
        [[ $output != *wrong-password* ]]
    done
    registry_section passwords reader wrong-password
    expect_exit 1 tally run
    [[ $(status_of web .error.kind) == auth ]]
    [[ $(service_ids it "$NAME") == "$before" ]]
}

@test "no right: denied, told apart from a rejected password" {
    registry_section tokens
    image_push "$(registry_address tokens)/secret/$NAME:1" "v1" >/dev/null
    expect_exit 1 tally digest "$(registry_address tokens)/secret/$NAME:1"
    says "$(registry_address tokens)" reader
    [[ $output != *rejected* ]]
}

@test "a password file that is not there" {
    registry_section passwords
    rm "$ETC/secret"
    expect_exit 1 tally digest "$(registry_address passwords)/team/$NAME:1"
    says "$ETC/secret"
}

@test "digest of a platform, and as JSON" {
    amd=$(image_push "$IMAGE" "amd" --oci)
    arm=$(image_push "$IMAGE" "arm" --oci --platform linux/arm64/v8)
    index=$(image_index "$IMAGE:1" --oci "linux/amd64=$amd" "linux/arm64/v8=$arm" "attestation=$amd")
    expect_exit 0 tally digest "$IMAGE:1"
    [[ $output == "$index" ]]
    expect_exit 0 tally digest "$IMAGE:1" --platform linux/arm64
    [[ $output == "$arm" ]]
    expect_exit 0 tally digest "$IMAGE:1" --platform linux/amd64 --json
    [[ $(jq -r '.digest + " " + .manifest' <<<"$output") == "$index $amd" ]]
    expect_exit 1 tally digest "$IMAGE:1" --platform linux/riscv64
    says "linux/riscv64" "linux/amd64"
}
