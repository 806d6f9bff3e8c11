# shellcheck shell=bash
# tallyman itself, as its users start it, against one engine and one compose of the parts.

# The engine, image store and compose that a file's tests are about; ctest runs deploy.bats once for each combination.
E2E_ENGINE=${E2E_ENGINE:-26.1}
E2E_STORE=${E2E_STORE:-overlay2}
E2E_COMPOSE=${E2E_COMPOSE:-v2}

# One engine, `it`, and one open registry, `hub`. Every test has configuration, projects and state of its own.
tallyman_setup_file() {
    parts_init
    [[ -x ${TALLYMAN:-} ]] || fail_because "TALLYMAN=${TALLYMAN:-} is no program: build it first, and name it" || return 1
    registry_start hub
    engine_start it "$E2E_ENGINE" "$E2E_STORE"
}

tallyman_setup() {
    ETC=$(mktemp -d "$PARTS/etc.XXXXXX")
    STATE=$ETC/state STATUS=$ETC/status.json
    mkdir "$ETC/conf.d"
    HUB=$(registry_address hub)
    # Names that no other test of the file uses.
    NAME=t$BATS_TEST_NUMBER
    IMAGE=$HUB/team/$NAME
    SITE=$ETC/site
    PORT=$((8000 + BATS_TEST_NUMBER * 10))
    mkdir "$SITE"
}

# The next test must not pay for this one's containers; those of a failed one stay.
tallyman_teardown() {
    parts_note_result
    [[ -z ${BATS_TEST_COMPLETED:-} ]] || remove_project "$NAME"
}
remove_project() {
    service_ids it "$1" | xargs -r -n 50 timeout 60 "$(_engine_cli it)" -H "unix://$(engine_socket it)" rm -f >/dev/null
}

# drop_in NAME: from stdin; unless it says so itself, the containers need not settle for long
drop_in() {
    cat >"$ETC/conf.d/$1.toml"
    grep -qF '[health]' "$ETC/conf.d/$1.toml" || printf '[health]\nsettle = "500ms"\n' >>"$ETC/conf.d/$1.toml"
}

# tally ARGUMENT…: in the engine's network namespace, with a clean environment. TALLY_ENV=(VAR=VALUE…) adds to that.
tally() {
    engine_run it "${E2E_TALLY_COMPOSE:-$E2E_COMPOSE}" "${TALLY_ENV[@]}" "$TALLYMAN" --config "$ETC" --state "$STATE" \
        --status-file "$STATUS" "$@"
}

# site_up [ARGUMENT…]: the project of this test, $SITE/compose.yaml from stdin, is started by the compose under test
site_up() {
    cat >"$SITE/compose.yaml"
    compose it "$E2E_COMPOSE" "$SITE" -p "$NAME" up -d "$@"
}

# status_of SERVICE FILTER: a jq filter over that service's entry of the status file
status_of() { jq -r --arg name "$1" ".services[] | select(.name == \$name) | $2" "$STATUS"; }

# expect_exit STATUS COMMAND…: the output is in $output; shows it if the status is another
expect_exit() {
    local wanted=$1
    shift
    run "$@"
    [[ $status -eq $wanted ]] || fail_because "exit status $status, not $wanted, of: $*
$output"
}
# says TEXT…: each is in $output; line breaks and runs of spaces of the output count as one space
says() {
    local text flat
    flat=$(tr -s ' \n' '  ' <<<"$output")
    for text; do
        [[ $flat == *"$text"* ]] || fail_because "does not say '$text':
$output" || return 1
    done
}

# compose_wrapper BEFORE_CONFIG BEFORE_UP: a compose command for [compose] command, which runs one of the two shell snippets before
# the compose under test does its work; arguments and environment of every call are kept in $ETC/calls.
compose_wrapper() {
    local real=(docker compose)
    [[ $E2E_COMPOSE == v2 ]] || real=(docker-compose)
    cat >"$ETC/compose" <<SCRIPT
#!/bin/bash
{ printf '%s\n' "\$@"; env; } >>"$ETC/calls"
for argument; do
    case \$argument in
    config) $1 ;;
    up) $2 ;;
    esac
done
exec ${real[*]} "\$@"
SCRIPT
    chmod 755 "$ETC/compose"
}
