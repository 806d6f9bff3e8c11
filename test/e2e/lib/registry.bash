# shellcheck shell=bash
# Real docker-registry instances: open, with passwords, or with tokens.
#
# Each has two users: `pusher`, who may do everything, and `reader`, who may pull (with tokens: team/* and public/*).
# Their passwords are made for each run: registry_password NAME USER. With tokens, anybody may pull public/*.
# registry_user adds others.

registry_dir() { echo "$PARTS/registry/$1"; }
registry_port() { cat "$PARTS/registry/$1/port"; }
registry_address() { echo "127.0.0.1:$(registry_port "$1")"; }
registry_password() { cat "$PARTS/registry/$1/${2:-reader}.password"; } # NAME [USER]
registry_ca() { echo "$PARTS/ca/ca.pem"; }                              # what signed all --tls certificates
_has_tls() { [[ -e $PARTS/registry/$1/tls.pem ]]; }

# registry_url NAME: http://127.0.0.1:PORT, or https with --tls
registry_url() {
    local scheme=http
    ! _has_tls "$1" || scheme=https
    echo "$scheme://$(registry_address "$1")"
}

# registry_start NAME [open|htpasswd|token] [--tls]
#   token: a token server stands in front of the registry and shares its host:port, as Harbor has it: the realm is
#   http://HOST:PORT/token. With --tls the registry itself speaks TLS (HTTP/2 too) and the realm is on another port.
# Started again after registry_stop, it has its old port, users and images.
registry_start() {
    local name=$1 kind=${2:-open} tls=${3:-} dir realm
    dir=$(registry_dir "$name")
    need_program /usr/bin/docker-registry || return 1
    if [[ ! -e $dir/port ]]; then
        mkdir -p "$dir/data"
        echo "$kind" >"$dir/kind"
        free_port >"$dir/port"
        free_port >"$dir/other-port" # the registry behind the token server, or the token server beside the registry
        : >"$dir/access.offset"
        [[ -z $tls ]] || _registry_certificates "$dir" || return 1
        [[ $kind == open ]] || _registry_users "$dir" || return 1
        realm=$(registry_url "$name")/token
        [[ -z $tls ]] || realm=https://127.0.0.1:$(cat "$dir/other-port")/token
        _registry_config "$dir" "$realm" >"$dir/registry.yml"
    fi
    start_daemon "$dir" registry /usr/bin/docker-registry serve "$dir/registry.yml"
    if [[ $(cat "$dir/kind") == token ]]; then
        _token_server "$dir"
        wait_until "the token server of registry $name" "$dir/token.log" is_listening "$(cat "$dir/other-port")" || return 1
    fi
    wait_until "registry $name" "$dir/registry.log" curl -sk -o "$dir/answer" "$(registry_url "$name")/v2/" || return 1
    local engine
    for engine in "$PARTS"/engine/*/docker.sock; do
        [[ ! -e $engine ]] || registry_reach "$(basename "$(dirname "$engine")")" "$name" || return 1
    done
    registry_requests_reset "$name"
}

registry_stop() { # NAME; its data stay
    stop_daemon "$(registry_dir "$1")"/{registry,token}.pid
}

# registry_requests NAME: "METHOD PATH STATUS" of each request since registry_requests_reset, with its query; requests for
# tokens too. registry_request_details NAME: the same as JSON lines, with authorization scheme and user, of token servers.
registry_requests() {
    local file
    for file in $(_registry_logs "$1"); do
        _registry_since "$1" "$file" | if [[ $file == *.jsonl ]]; then
            jq -r '"\(.method) \(.path)\(if .query == "" then "" else "?" + .query end) \(.status)"'
        else
            sed -nE 's/^.*\] "([A-Z]+) ([^ ]+) HTTP[^"]*" ([0-9]+) .*$/\1 \2 \3/p'
        fi
    done | grep -v '[?]settle-' || true
}
registry_request_details() {
    _registry_since "$1" "$(registry_dir "$1")/token.jsonl" | grep -v '"settle-' || true
}
registry_requests_reset() {
    local file
    for file in $(_registry_logs "$1"); do
        _registry_since "$1" "$file" >/dev/null
        stat -c %s "$file" >"$file.offset"
    done
}

# The ports on which its clients see it.
_registry_ports() {
    cat "$(registry_dir "$1")/port"
    [[ $(cat "$(registry_dir "$1")/kind") != token || ! -e $(registry_dir "$1")/tls.pem ]] || cat "$(registry_dir "$1")/other-port"
}

# Which logs hold what clients asked: the token server's alone, where it stands in front.
_registry_logs() {
    local dir
    dir=$(registry_dir "$1")
    if [[ $(cat "$dir/kind") != token ]]; then
        echo "$dir/registry.log"
    elif _has_tls "$1"; then
        echo "$dir/registry.log" "$dir/token.jsonl"
    else
        echo "$dir/token.jsonl"
    fi
}
_registry_since() { # NAME FILE
    _registry_settle "$1"
    tail -c "+$(($(cat "$2.offset" 2>/dev/null || echo 0) + 1))" "$2"
}

# The registry writes its line after it has answered: ask something of our own and wait until that is in the log.
_registry_settle() {
    local dir mark=settle-$RANDOM$RANDOM
    dir=$(registry_dir "$1")
    pid_of "$dir/registry.pid" >/dev/null || return 0 # stopped: nothing is still to come
    curl -sk -o "$dir/answer" "$(registry_url "$1")/v2/?$mark" || return 0
    wait_until "registry $1 writes its access log" "" grep -qF "$mark" "$dir/registry.log"
}

_registry_config() { # FOLDER REALM
    local dir=$1 realm=$2 port other kind
    port=$(cat "$dir/port") other=$(cat "$dir/other-port") kind=$(cat "$dir/kind")
    [[ $kind != token || -e $dir/tls.pem ]] || port=$other
    printf '%s\n' 'version: 0.1' 'log: {level: error, accesslog: {disabled: false}}' \
        "storage: {filesystem: {rootdirectory: $dir/data}, delete: {enabled: true}, maintenance: {uploadpurging: {enabled: false}}}" \
        'http:' "  addr: 127.0.0.1:$port" '  secret: not-a-secret'
    [[ ! -e $dir/tls.pem ]] || printf '  tls: {certificate: %s, key: %s}\n' "$dir/tls.pem" "$dir/tls.key"
    case $kind in
    htpasswd) printf 'auth: {htpasswd: {realm: tests, path: %s}}\n' "$dir/htpasswd" ;;
    token) printf 'auth: {token: {realm: "%s", service: tests, issuer: tests-issuer, rootcertbundle: %s}}\n' \
        "$realm" "$dir/sign.pem" ;;
    esac
}

_registry_users() { # FOLDER
    local dir=$1 user
    for user in pusher reader; do
        [[ -e $dir/$user.password ]] || echo "pw-$(openssl rand -hex 12)" >"$dir/$user.password"
    done
    if [[ $(cat "$dir/kind") == htpasswd ]]; then
        need_program /usr/bin/htpasswd || return 1
        for user in pusher reader; do htpasswd -Bbn -C 4 "$user" "$(cat "$dir/$user.password")"; done |
            grep . >"$dir/htpasswd"
    else
        jq -n --arg pusher "$(cat "$dir/pusher.password")" --arg reader "$(cat "$dir/reader.password")" \
            '{pusher: {password: $pusher, pull: ["*"], push: ["*"]}, reader: {password: $reader, pull: ["team/*"]}}' \
            >"$dir/users.json"
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=tests-issuer -keyout "$dir/sign.key" \
            -out "$dir/sign.pem" 2>"$dir/openssl.log" || fail_because "openssl made no signing key" "$dir/openssl.log"
    fi
}

# registry_user NAME USER [JSON]: one more, who may pull team/*. With tokens JSON adds to what token_server.py has of a user.
registry_user() {
    local dir password users
    dir=$(registry_dir "$1") password=pw-$(openssl rand -hex 12)
    echo "$password" >"$dir/$2.password"
    if [[ $(cat "$dir/kind") == htpasswd ]]; then
        htpasswd -Bbn -C 4 "$2" "$password" | grep . >>"$dir/htpasswd"
    else
        users=$(jq --arg user "$2" --arg password "$password" --argjson more "${3:-{\}}" \
            '.[$user] = {password: $password, pull: ["team/*"]} + $more' "$dir/users.json") && echo "$users" >"$dir/users.json"
    fi
}
# registry_token NAME USER REPOSITORY: a token to pull that, as the token server gives it to USER
registry_token() {
    curl -sSf -K <(echo "user = \"$2:$(registry_password "$1" "$2")\"") \
        "$(registry_url "$1")/token?service=tests&scope=repository:$3:pull" | jq -r .token
}

# One CA for all of $PARTS: the engines trust it, since Docker verifies a token realm even where it skips the registry's check.
_registry_certificates() { # FOLDER
    local dir=$1 ca=$PARTS/ca key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    {
        [[ -e $ca/ca.pem ]] ||
            openssl req -x509 "${key[@]}" -days 30 -subj "/CN=CA of the tests" -keyout "$PARTS/ca.key" -out "$ca/ca.pem" || return
        openssl req "${key[@]}" -subj /CN=127.0.0.1 -keyout "$dir/tls.key" -out "$dir/tls.csr" &&
            openssl x509 -req -in "$dir/tls.csr" -CA "$ca/ca.pem" -CAkey "$PARTS/ca.key" -CAserial "$PARTS/ca.srl" -CAcreateserial \
                -days 30 -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') -out "$dir/tls.pem"
    } 2>"$dir/openssl.log" || fail_because "openssl made no certificate" "$dir/openssl.log"
}

_token_server() { # FOLDER
    local dir=$1 listen=() port other
    port=$(cat "$dir/port") other=$(cat "$dir/other-port")
    if [[ -e $dir/tls.pem ]]; then
        listen=(--listen "127.0.0.1:$other" --tls-cert "$dir/tls.pem" --tls-key "$dir/tls.key")
    else
        listen=(--listen "127.0.0.1:$port" --backend "127.0.0.1:$other")
    fi
    start_daemon "$dir" token "$E2E_SUPPORT/token_server.py" "${listen[@]}" --users "$dir/users.json" \
        --key "$dir/sign.key" --cert "$dir/sign.pem" --issuer tests-issuer --service tests --access-log "$dir/token.jsonl"
}
