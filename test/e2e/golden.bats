#!/usr/bin/env bats
# What people and programs read, word for word: help, tables at 80 columns, JSON, errors. The expected texts are in golden/.
# One small world is made once: all tests read it, and only the last ones change it.
#
#   TALLYMAN_GOLDEN_UPDATE=1 bats test/e2e/golden.bats     writes them anew, and says which; read the diff.
# shellcheck disable=SC2016 # what is in single quotes is for jq and other shells

load lib/parts
load lib/tallyman

GOLDEN=$BATS_TEST_DIRNAME/golden
# As the program's help lists them: a new one needs its help in golden/, and a test of its tables, its JSON and its errors below.
COMMANDS=(run check status deploy rollback hold release history explain digest validate)

setup_file() {
    tallyman_setup_file
    export WORLD=$PARTS/world
    mkdir -p "$WORLD"/{etc/conf.d,shop}
    make_world
}
setup() { export WORLD=$PARTS/world; }
teardown() { parts_note_result; }
teardown_file() { parts_stop; }

# in_world COMMAND…: $WORLD is /srv in there, so that paths have names that are always the same.
in_world() {
    engine_run it "$E2E_COMPOSE" TZ=UTC "${TALLY_ENV[@]}" unshare --mount \
        bash -c 'mount --bind "$0" /srv && cd /srv/shop && exec "$@"' "$WORLD" "$@"
}
tally() {
    in_world "$TALLYMAN" --config "${CONFIG:-/srv/etc}" --state /srv/state --status-file /srv/status.json "$@"
}

# shows ARGUMENT…: the command, what it prints, what it logs ("2>"), and its exit status where that is not 0. Nothing on stdout is
# wider than 80 columns, but for what is there to be copied in one piece.
shows() {
    local status=0 wide folder=${BATS_TEST_TMPDIR:-$PARTS}
    tally "$@" >"$folder/out" 2>"$folder/err" || status=$?
    if [[ " $* " != *" --json "* ]] && wide=$(grep -E '^.{81,}$' "$folder/out" | grep -vE '^ +((run  )?cd /|(pull|image) )|^/[^ ]+:[0-9]+:[0-9]+: '); then
        echo "$wide" >>"$WORLD/wide"
    fi
    echo "\$ tallyman$(printf ' %q' "$@")"
    cat "$folder/out"
    sed 's/^/2> /' "$folder/err"
    ((status == 0)) || echo "[exit status $status]"
}

# What is another one each time. Digests that this file knows keep their length, and so the tables their columns.
normal_forms() {
    local digit=1 each length
    while read -r each; do
        each=${each#sha256:}
        for length in 64 12 8; do
            printf 's/%s/%s/g\n' "${each:0:length}" "$(printf "%0${length}d" 0 | tr 0 $digit)"
        done
        digit=$((digit + 1))
    done <"$WORLD/digests"
    echo "s/$(registry_address hub)/harbor.lan:5000/g"
    cat <<'SED'
s/sha256:[0-9a-f]*([a-f][0-9]|[0-9][a-f])[0-9a-f]*/sha256:DIGEST/g
s/"(id|image_id)": "[0-9a-f]{64}"/"\1": "ID"/
s/(image|config|manifest) [0-9a-f]{12}\b/\1 000000000000/g
s/rollback-[0-9a-f]{12}/rollback-000000000000/g
s/20[0-9]{6}T[0-9]{6}Z(-[0-9]+)?-/20261122T194514Z-/g
s/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/2026-11-22T19:45:14Z/g
s/20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]+ UTC/2026-11-22 19:45 UTC/g
s/20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}\b/2026-11-22 19:45:14/g
s/ +[0-9.]+ (ms|s|min)$/ 1.0 s/
s/\b[0-9.]+ (ms|s|min)\b/1.0 s/g
s/\b([0-9.]+ [kM]?B|nothing to transfer)\b/1.0 MB/g
s/"(duration_ms|downtime_ms|ms|layer_bytes)": [0-9]+/"\1": 1000/
s/"host": "[^"]*"/"host": "deploy-01"/
s/"tallyman": "[^"]*"/"tallyman": "VERSION"/
s/^.*, last run /deploy-01, last run /
SED
}

# golden NAME: stdin is what golden/NAME says.
golden() {
    local got=${BATS_TEST_TMPDIR:?}/got
    sed -E -f "$WORLD/normal.sed" >"$got"
    if [[ -n ${TALLYMAN_GOLDEN_UPDATE:-} ]]; then
        cmp -s "$got" "$GOLDEN/$1" || { cp "$got" "$GOLDEN/$1" && echo "# written anew: golden/$1" >&3; }
        return
    fi
    diff -u "$GOLDEN/$1" "$got" || fail_because "golden/$1 says otherwise; if it should not: TALLYMAN_GOLDEN_UPDATE=1, and read the diff"
}

# long_ago FILE FILTER…: times that jq finds there are three days ago, so that "3 d" is what people read
long_ago() {
    local file=$1
    jq --arg past "$(date -u -d '3 days ago' +%Y-%m-%dT%H:%M:%SZ)" "$2" "$file" >"$file.new" && cat "$file.new" >"$file" && rm "$file.new"
}

push() { # SERVICE TEXT [option…]: its digest is one that normalised() knows
    image_push "$(registry_address hub)/shop/$1:stable" "$1 $2" --label "org.opencontainers.image.version=$2" "${@:3}" | tee -a "$WORLD/digests"
}
watch() { # SERVICE [LINE…]
    printf '%s\n' "image = \"$(registry_address hub)/shop/$1:stable\"" "${@:2}" '[health]' 'settle = "300ms"' >"$WORLD/etc/conf.d/$1.toml"
}

# web is updated, worker rolled back, api waits for a person, db is held, nothing of job runs, and bad cannot be read.
make_world() {
    local each
    : >"$WORLD/digests"
    for each in web worker api db; do push "$each" v1.2.0 >/dev/null; done
    {
        echo 'services:'
        for each in web worker api db; do printf '  %s:\n    image: %s\n    stop_grace_period: 0s\n' "$each" "$(registry_address hub)/shop/$each:stable"; done
    } >"$WORLD/shop/compose.yaml"
    in_world docker compose -p shop up -d --quiet-pull
    watch web
    watch worker
    watch api 'mode = "notify"'
    watch db
    watch job
    printf 'imge = "nginx"\nmode = "sometimes"\n' >"$WORLD/etc/conf.d/bad.toml"
    push web v1.3.0 >/dev/null
    push worker v1.3.0 --cmd 'echo no database; exit 7' >/dev/null
    push api v1.3.0 >/dev/null
    push db v1.3.0 >/dev/null
    normal_forms >"$WORLD/normal.sed"
    {
        shows status
        shows hold db --reason 'exam week' --until '2099-12-01 08:00'
        shows hold db --until 'next week'
        shows hold db --until '2020-01-01'
        shows release job
    } >"$WORLD/holds" 2>&1
    long_ago "$WORLD/state/holds/db.json" '.at = $past'
    shows check >"$WORLD/check-before"
    shows run --dry-run >"$WORLD/dry-run"
    shows explain web >"$WORLD/explain-before"
    shows run >"$WORLD/run"
    long_ago "$WORLD/state/memory.json" '(.. | .at?, .deployed_at?, .finished_at?, .pending_since?, .last? | strings | select(test("^20"))) = $past'
    long_ago "$WORLD/status.json" '(.. | .since?, .deployed_at?, .finished_at?, .pending_since? | strings | select(test("^20"))) = $past'
}

@test "help of the program and of every command, and no command without one here" {
    "$TALLYMAN" --help >"$BATS_TEST_TMPDIR/help"
    [[ $(sed -n '/ommands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' "$BATS_TEST_TMPDIR/help" | xargs) == "${COMMANDS[*]}" ]] ||
        fail_because "its commands are not ${COMMANDS[*]}" "$BATS_TEST_TMPDIR/help"
    shows --help | golden help.txt
    for each in "${COMMANDS[@]}"; do
        shows "$each" --help | golden "help-$each.txt"
    done
}

@test "a run, a dry run, and a check before it" {
    golden check-before.txt <"$WORLD/check-before"
    golden dry-run.txt <"$WORLD/dry-run"
    golden run.txt <"$WORLD/run"
}

@test "status and check as tables" {
    shows status | golden status.txt
    shows check | golden check.txt
    { shows check web --exit-code && shows check api --exit-code; } | golden check-exit-code.txt
}

@test "status and check as JSON, which fits the schema" {
    { tally status --json || true; } >"$BATS_TEST_TMPDIR/status.json"
    { tally check --json || true; } >"$BATS_TEST_TMPDIR/check.json"
    for each in status check; do
        /usr/bin/python3 - "$BATS_TEST_DIRNAME/../../packaging/status.schema.json" "$BATS_TEST_TMPDIR/$each.json" <<'PYTHON'
import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
PYTHON
        golden "$each.json" <"$BATS_TEST_TMPDIR/$each.json"
    done
}

@test "explain: every state of this world" {
    golden explain-before.txt <"$WORLD/explain-before"
    for each in web worker api db job bad; do
        shows explain "$each" | golden "explain-$each.txt"
        [[ $(wc -l <"$BATS_TEST_TMPDIR/out") -le 24 ]] || fail_because "explain $each is no screen any more"
    done
}

@test "explain as JSON" {
    for each in web bad; do
        { tally explain "$each" --json || true; } | jq . >"$BATS_TEST_TMPDIR/explain.json"
        golden "explain-$each.json" <"$BATS_TEST_TMPDIR/explain.json"
    done
}

@test "digest, and of a platform, and as JSON" {
    image=$(registry_address hub)/shop/web:stable
    {
        shows digest "$image"
        shows digest "$image" --json
        shows digest "$image" --platform linux/amd64 --json
        shows digest "$(registry_address hub)/shop/nothing:1"
        shows digest 'Harbor.lan/Shop/Web:stable'
        shows digest "$image" --platform pdp11
    } | golden digest.txt
}

@test "validate" {
    shows validate | golden validate.txt
    shows validate --online | golden validate-online.txt
}

@test "history: of all, of one service, as JSON, of what was never deployed" {
    {
        shows history
        shows history worker
        shows history web --limit 1
        shows history api
        shows history wokrer
        shows history --limit 0
    } | golden history.txt
    tally history --json >"$BATS_TEST_TMPDIR/history.json"
    golden history.json <"$BATS_TEST_TMPDIR/history.json"
}

@test "hold, release, and a status before the first run" {
    golden holds.txt <"$WORLD/holds"
}

@test "wrong words" {
    {
        shows chekc
        shows --verbose
        shows check --jsn
        shows explain
        shows explain wbe
        shows run elephant
        shows deploy web api
        shows deploy web --wait soon
        shows hold web --reason "$(printf 'two\nlines')"
    } | golden wrong-words.txt
}

@test "a configuration that is not there, and one that cannot be used" {
    mkdir "$WORLD/unusable"
    printf '[registy."ghcr.io"]\n[engine]\nhost = 7\n' >"$WORLD/unusable/tallyman.toml"
    {
        CONFIG=/srv/nowhere shows check
        CONFIG=/srv/unusable shows check
        CONFIG=/srv/unusable shows validate
    } | golden configuration.txt
}

@test "an engine that is not there" {
    TALLY_ENV=(DOCKER_HOST=unix:///srv/nothing.sock)
    { shows check web && shows explain web; } | golden engine.txt
    TALLY_ENV=(DOCKER_HOST=tcp://127.0.0.1:2375)
    shows check web | golden engine-tcp.txt
}

@test "another run is at work" {
    printf 'pid 4711 since 2026-11-22T19:45:14Z\n' >"$WORLD/state/lock"
    exec {lock}<>"$WORLD/state/lock"
    flock -n "$lock"
    { shows run && shows deploy web --wait 100ms && shows rollback web; } | golden locked.txt
    exec {lock}>&-
}

@test "deploy and rollback, and what they refuse" {
    {
        shows deploy web
        shows deploy job
        shows deploy bad
        shows deploy db
        shows deploy worker
        shows deploy web --to "sha256:$(printf '%064d' 7)"
        shows deploy web --to 'no such tag'
        shows deploy web --to v9
        shows rollback api
        shows rollback web --to 77
        shows rollback web
        shows rollback web
        shows release web
        shows deploy web
    } | golden hands.txt
}

@test "nothing of all this was wider than 80 columns" {
    [[ ! -s $WORLD/wide ]] || fail_because "wider than 80 columns" "$WORLD/wide"
}
