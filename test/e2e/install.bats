#!/usr/bin/env bats
# What `cmake --install` puts in place, and that systemd accepts it.

setup_file() {
    ROOT=$(mktemp -d "${TMPDIR:-/tmp}/tminst-XXXXXX")
    export ROOT
    DESTDIR=$ROOT cmake --install "$(dirname "$TALLYMAN")/.." --strip >"$ROOT/log" 2>&1 || { cat "$ROOT/log"; return 1; }
}
teardown_file() { rm -rf "$ROOT"; }

installed() { # NAME: its path below the root
    find "$ROOT" -name "$1" -printf '/%P\n'
}

@test "binary, units, schema, examples and documents are there" {
    for each in tallyman.service tallyman.timer status.schema.json README.md CHANGELOG.md LICENSE; do
        [[ -n $(installed "$each") ]] || { echo "$each is not installed"; return 1; }
    done
    [[ -x $ROOT$(installed tallyman | grep 'bin/tallyman$') ]]
    [[ -n $(installed '*.toml.example') ]]
    [[ -d $ROOT/etc/tallyman/conf.d && -z $(ls "$ROOT/etc/tallyman/conf.d") ]]
}

@test "the binary is hardened and stripped" {
    binary=$ROOT$(installed tallyman | grep 'bin/tallyman$')
    readelf -hW "$binary" | grep -q 'Type:.*DYN'
    readelf -lW "$binary" | grep -q GNU_RELRO
    readelf -dW "$binary" | grep -Eq 'BIND_NOW|FLAGS.*NOW'
    run grep -q '\.symtab' <(readelf -SW "$binary")
    [[ $status -eq 1 ]]
    readelf -sW --dyn-syms "$binary" | grep -q '__.*_chk' # FORTIFY
}

@test "the seam of the crash tests is in the program of those tests only, and not installed" {
    [[ -z $(installed 'tallyman-faulty') ]]
    run grep -c TALLYMAN_FAULT "$ROOT$(installed tallyman | grep 'bin/tallyman$')"
    [[ $output == 0 ]]
    grep -q TALLYMAN_FAULT "$TALLYMAN_FAULTY" # it would be found
}

@test "systemd finds nothing wrong with the units" {
    for each in sysinit.target network-online.target timers.target docker.service shutdown.target basic.target; do
        unit=$ROOT/usr/lib/systemd/system/$each
        mkdir -p "$(dirname "$unit")"
        case $each in
        *.service) printf '[Unit]\nDescription=stand-in\n[Service]\nExecStart=/bin/true\n' >"$unit" ;;
        *) printf '[Unit]\nDescription=stand-in\n' >"$unit" ;;
        esac
    done
    mkdir -p "$ROOT/bin"
    cp /bin/true "$ROOT/bin/true"
    run systemd-analyze verify --root="$ROOT" --recursive-errors=yes --man=no tallyman.service tallyman.timer
    echo "$output"
    [[ $status -eq 0 && -z $output ]]
    # and it would find something: an unknown key is an error
    service=$ROOT$(installed tallyman.service)
    sed -i 's/^Type=/Tpye=/' "$service"
    run systemd-analyze verify --root="$ROOT" --recursive-errors=yes --man=no tallyman.service
    [[ $status -ne 0 || -n $output ]]
}

@test "the status file of a run fits the schema" {
    mkdir -p "$ROOT/run/conf.d"
    echo 'image = "ghcr.io/acme/web:latest"' >"$ROOT/run/conf.d/web.toml"
    echo 'imgae = 1' >"$ROOT/run/conf.d/broken.toml"
    run env DOCKER_HOST=unix:///nowhere/docker.sock "$TALLYMAN" --config "$ROOT/run" --state "$ROOT/run/state" \
        --status-file "$ROOT/run/status.json" run
    [[ $status -eq 1 ]]
    /usr/bin/python3 - "$ROOT$(installed status.schema.json)" "$ROOT/run/status.json" <<'PYTHON'
import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
PYTHON
}
