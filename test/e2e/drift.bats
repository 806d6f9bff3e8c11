#!/usr/bin/env bats
# What compose would apply besides the image: noticed without asking compose again and again, told, applied or refused.

load lib/parts
load lib/tallyman

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { tallyman_teardown; }
teardown_file() { parts_stop; }

# web_with_env [LINE…]: web takes GREETING from .env; the drop-in has LINEs under [compose], and calls of compose are counted
web_with_env() {
    OLD=$(image_push "$IMAGE:stable" "v1")
    echo "GREETING=hello" >"$SITE/.env"
    site_up <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
    environment: {GREETING: "\$GREETING"}
YAML
    compose_wrapper "echo >>\"$ETC/asked\"" "echo >>\"$ETC/ups\""
    drop_in web <<TOML
image = "$IMAGE:stable"
[compose]
command = ["$ETC/compose"]
$(printf '%s\n' "$@")
TOML
}
asked() { wc -l 2>/dev/null <"$ETC/asked" || echo 0; } # how often `compose config` ran
greeting() { # what web was created with
    engine_docker it inspect -f '{{json .Config.Env}}' "$(service_ids it "$NAME" web)" |
        jq -r '.[] | select(startswith("GREETING=")) | ltrimstr("GREETING=")'
}

@test "an edited env file is told, applied with the next image, and gone then" {
    web_with_env
    expect_exit 0 tally run
    [[ $(status_of web .drift) == null && $(asked) == 1 ]]
    rm "$ETC/calls"
    expect_exit 0 tally run
    [[ ! -e $ETC/calls ]] || fail_because "compose was called: $(cat "$ETC/calls")"

    echo "GREETING=s3cret" >"$SITE/.env"
    expect_exit 0 tally run
    says "1 current" "service web: $SITE/.env was edited since"
    [[ $(status_of web .state) == current && $(asked) == 2 ]]
    [[ $(status_of web '.drift.files[0]') == "$SITE/.env" && $(status_of web '.drift.services[0]') == web ]]
    rm "$ETC/calls"
    expect_exit 0 tally run
    [[ ! -e $ETC/calls && $(greeting) == hello ]]
    expect_exit 0 tally status
    says "drift: .env"
    expect_exit 0 tally run --dry-run
    says "also service web: $SITE/.env was edited since" "applied with the next deployment"

    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run --dry-run
    says "would deploy" "also service web: $SITE/.env was edited since" "applied along with it"
    expect_exit 0 tally run
    says UPDATED "it is applied along with the new image"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" && $(greeting) == s3cret ]]
    [[ $(status_of web .drift) == null ]]
    rm "$ETC/calls"
    expect_exit 0 tally run
    [[ ! -e $ETC/calls && $(status_of web .drift) == null ]]
    ! grep -rF s3cret "$STATE/memory.json" "$STATUS" || fail_because "a secret was written"
}

@test "on_drift = refuse: a run waits, and the file put back, or deploy, goes on" {
    web_with_env 'on_drift = "refuse"'
    expect_exit 0 tally run
    echo "GREETING=ciao" >"$SITE/.env"
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    says "web: pending: service web: $SITE/.env was edited since" "to apply it: tallyman deploy web"
    [[ $(status_of web .state) == pending && $(status_of web .reason_code) == drift && $(status_of web .error) == null ]]
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$OLD" && ! -e $ETC/ups ]]
    expect_exit 0 tally run --dry-run
    says "would not deploy" "tallyman deploy web"
    expect_exit 0 tally deploy web
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" && $(greeting) == ciao ]]
    [[ $(status_of web .drift) == null ]]

    echo "GREETING=salut" >"$SITE/.env"
    new=$(image_push "$IMAGE:stable" "v3")
    expect_exit 0 tally run
    [[ $(status_of web .reason_code) == drift ]]
    echo "GREETING=ciao" >"$SITE/.env"
    expect_exit 0 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" && $(greeting) == ciao ]]
}

@test "what compose up by hand has applied is no drift any more; an included file is found by the deployment" {
    web_with_env
    expect_exit 0 tally run
    echo "GREETING=ciao" >"$SITE/.env"
    expect_exit 0 tally run
    [[ $(status_of web .drift) != null ]]
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d
    expect_exit 0 tally run
    [[ $(status_of web .drift) == null && $(greeting) == ciao ]]

    sed -i 's/^    environment:.*/    env_file: [more.env]/' "$SITE/compose.yaml"
    echo "GREETING=more" >"$SITE/more.env"
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d
    expect_exit 0 tally run
    echo "GREETING=most" >"$SITE/more.env"
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    says UPDATED "a file that compose includes, or a variable, changed since"
    [[ $(greeting) == most ]]
}
