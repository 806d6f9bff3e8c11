#!/usr/bin/env bats
# Where credentials come from and what becomes of them: with real registries that want a password or a token, pulls by a
# real engine, and that no secret leaves tallyman. The registries speak http, and tallyman.toml allows that.

load lib/parts
load lib/tallyman

ROBOT=robot\$shop+pull

setup_file() {
    tallyman_setup_file
    registry_start passwords htpasswd
    registry_start tokens token
    registry_user passwords "$ROBOT"
    registry_user tokens "$ROBOT"
    registry_user tokens nobody '{"pull": []}'
    registry_user tokens late '{"expires_in": -3600}'
}
setup() {
    tallyman_setup
    PASSWORDS=$(registry_address passwords) TOKENS=$(registry_address tokens)
    TALLY_ENV=("PATH=$ETC/bin:$(_compose_bin "$E2E_COMPOSE")") # helpers are there
    mkdir "$ETC/bin"
    registry_sections
}
teardown() {
    tallyman_teardown
    logout it
}
teardown_file() { parts_stop; }

# registry_sections [REGISTRY LINE…]: tallyman.toml, where both speak http; LINEs are added to that one's section
registry_sections() {
    local each
    for each in passwords tokens; do
        printf '[registry."%s"]\nplain_http = true\n' "$(registry_address "$each")"
        [[ ${1:-} != "$each" ]] || printf '%s\n' "${@:2}"
    done >"$ETC/tallyman.toml"
}
secret_file() { (umask 077 && cat >"$1"); } # FILE: from stdin
docker_config() { # from stdin; with umask it is not enough: the file is there
    cat >"$(engine_dir it)/config.json" && chmod 600 "$(engine_dir it)/config.json"
}
login_form() { # REGISTRY [USER [PASSWORD]]: {"auth": "…"}, as docker login writes it
    local user=${2:-reader}
    jq -nc --arg login "$user:${3:-$(registry_password "$1" "$user")}" '{auth: ($login | @base64)}'
}
auths() { # KEY ENTRY [KEY ENTRY…]: {"auths": …}
    jq -nc '{auths: [$ARGS.positional | _nwise(2) | {(.[0]): (.[1] | fromjson)}] | add}' --args "$@"
}
identity_token() { # USER ENTRY: makes USER one who has such a token, the entry's
    registry_user tokens "$1" "$(jq -c '{identity_token: .identitytoken}' <<<"$2")"
}
no_identity_tokens() { # and POST is a 404
    local file users
    file=$(registry_dir tokens)/users.json
    users=$(jq 'map_values(del(.identity_token))' "$file") && echo "$users" >"$file"
}
helper() { # NAME: docker-credential-NAME from stdin
    cat >"$ETC/bin/docker-credential-$1" && chmod 755 "$ETC/bin/docker-credential-$1"
}
helper_answer() { jq -nc --arg user "$1" --arg secret "$2" '{ServerURL: "", Username: $user, Secret: $secret}'; }

# web_of REGISTRY: web runs v1 of $IMAGE:1, $NEW is the digest of v2
web_of() {
    IMAGE=$(registry_address "$1")/team/$NAME
    image_push "$IMAGE:1" "v1" >/dev/null
    login it "$1" pusher
    engine_docker it pull -q "$IMAGE:1"
    logout it # from here on only tallyman knows a password
    site_up <<YAML
services: {web: {image: "$IMAGE:1"}}
YAML
    drop_in web <<<"image = \"$IMAGE:1\""
    NEW=$(image_push "$IMAGE:1" "v2")
}
# deploys_as IDENTITY: check, pull by the engine with the same credential, recreate
deploys_as() {
    expect_exit 0 tally digest "$IMAGE:1"
    [[ $output == "$NEW" ]] || fail_because "$output" || return 1
    expect_exit 0 tally run && says "1 updated" || return 1
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$NEW" ]] || fail_because "web does not run $NEW" || return 1
    expect_exit 0 tally explain web && says "http as $1"
}
# who_asks: who the token server took tallyman for since registry_requests_reset, one a line
who_asks() { registry_request_details tokens | jq -r 'select(.path == "/token") | "\(.method) \(.status) \(.user)"' | sort -u; }

@test "docker login's config.json" {
    web_of tokens
    auths "$TOKENS" "$(login_form tokens)" | docker_config
    deploys_as reader
}

@test "podman login's auth.json: the entry of the namespace, not that of the host" {
    web_of tokens
    TALLY_ENV+=("REGISTRY_AUTH_FILE=$ETC/auth.json")
    auths "$TOKENS" "$(login_form tokens nobody)" "$TOKENS/team" "$(login_form tokens)" | secret_file "$ETC/auth.json"
    deploys_as reader
    image_push "$TOKENS/other/$NAME:1" "v1" >/dev/null
    expect_exit 1 tally digest "$TOKENS/other/$NAME:1"
    says "nobody from $ETC/auth.json"
}

@test "a credential helper, asked once" {
    web_of passwords
    echo "{\"credHelpers\": {\"$PASSWORDS\": \"vault\"}, \"auths\": {\"$PASSWORDS\": {}}}" | docker_config
    helper_answer reader "$(registry_password passwords)" | secret_file "$ETC/vault"
    helper vault <<SCRIPT
#!/bin/bash
echo "\$* \$(cat)" >>"$ETC/asked"
cat "$ETC/vault"
SCRIPT
    deploys_as reader
    # by digest, by run for check and pull, by explain
    [[ $(cat "$ETC/asked") == "get $PASSWORDS
get $PASSWORDS
get $PASSWORDS" ]] || fail_because "asked: $(cat "$ETC/asked")"
}

@test "an identity token, of config.json and of a helper" {
    local entry='{"auth": "aG9sZGVyOg==", "identitytoken": "it-of-holder-0123456789"}' # holder: and no password
    identity_token holder "$entry"
    web_of tokens
    auths "$TOKENS" "$entry" | docker_config
    registry_requests_reset tokens
    deploys_as holder
    [[ $(who_asks) == "POST 200 holder" ]] || fail_because "$(who_asks)"
    echo "{\"credsStore\": \"vault\"}" | docker_config
    helper vault <<SCRIPT
#!/bin/bash
echo '$(helper_answer "<token>" it-of-holder-0123456789)'
SCRIPT
    registry_requests_reset tokens
    expect_exit 0 tally explain web
    says "http as an identity token"
    [[ $(who_asks) == "POST 200 holder" ]] || fail_because "$(who_asks)"
}

@test "an identity token where the token server has no POST: as a password" {
    no_identity_tokens
    image=$TOKENS/team/$NAME:1
    digest=$(image_push "$image" "v1")
    entry=$(jq -nc --arg auth "$(printf reader: | base64)" --arg token "$(registry_password tokens)" '{auth: $auth, identitytoken: $token}')
    auths "$TOKENS" "$entry" | docker_config
    registry_requests_reset tokens
    expect_exit 0 tally digest "$image"
    [[ $output == "$digest" ]]
    [[ $(who_asks) == "GET 200 reader
POST 404 null" ]] || fail_because "$(who_asks)"
    auths "$TOKENS" "$(jq -c 'del(.auth)' <<<"$entry")" | docker_config # nobody's name
    expect_exit 1 tally digest "$image"
    says "$image" "$TOKENS takes no identity tokens (404" "docker login $TOKENS"
}

@test "a registry token: the token server is not asked" {
    web_of tokens
    token=$(registry_token tokens reader "team/$NAME")
    [[ $token == eyJ* ]]
    auths "$TOKENS" "{\"registrytoken\": \"$token\"}" | docker_config
    registry_requests_reset tokens
    deploys_as "a registry token"
    [[ -z $(who_asks) ]] || fail_because "$(who_asks)"
}

@test "a systemd credential: a password, and JSON" {
    web_of passwords
    mkdir -m 700 "$ETC/credentials"
    TALLY_ENV+=("CREDENTIALS_DIRECTORY=$ETC/credentials")
    registry_password passwords >"$ETC/credentials/shop"
    auths "$PASSWORDS" "$(login_form passwords "$ROBOT")" >"$ETC/credentials/shop-json"
    chmod 400 "$ETC"/credentials/*
    chmod 500 "$ETC/credentials"
    registry_sections passwords 'username = "reader"' 'credential = "shop"'
    deploys_as reader
    registry_sections passwords 'credential = "shop-json"'
    expect_exit 0 tally explain web
    says "http as $ROBOT"
}

@test "a systemd credential that is not there, and outside of a service" {
    image=$PASSWORDS/team/$NAME:1
    image_push "$image" "v1" >/dev/null
    login it passwords # it does not help: the section names another
    registry_sections passwords 'username = "reader"' 'credential = "shop"'
    expect_exit 1 tally digest "$image"
    says "$PASSWORDS" shop "CREDENTIALS_DIRECTORY is not set" "systemctl start tallyman" "LoadCredential=shop:"
    mkdir "$ETC/credentials"
    TALLY_ENV+=("CREDENTIALS_DIRECTORY=$ETC/credentials")
    expect_exit 1 tally digest "$image"
    says "$PASSWORDS" "systemd gave this service no credential shop" "systemctl edit tallyman" "LoadCredential=shop:"
}

@test "DOCKER_AUTH_CONFIG" {
    web_of tokens
    TALLY_ENV+=("DOCKER_AUTH_CONFIG=$(auths "$TOKENS" "$(login_form tokens)")")
    deploys_as reader
}

@test "who is asked first: the section, DOCKER_AUTH_CONFIG, config.json, auth.json" {
    local user file
    image=$TOKENS/team/$NAME:1
    image_push "$image" "v1" >/dev/null
    for user in section variable docker podman; do registry_user tokens "$user"; done
    registry_password tokens section | secret_file "$ETC/secret"
    registry_sections tokens 'username = "section"' "password_file = \"$ETC/secret\""
    auths "$TOKENS" "$(login_form tokens docker)" | docker_config
    auths "$TOKENS" "$(login_form tokens podman)" | secret_file "$ETC/auth.json"
    TALLY_ENV+=("REGISTRY_AUTH_FILE=$ETC/auth.json" "DOCKER_AUTH_CONFIG=$(auths "$TOKENS" "$(login_form tokens variable)")")
    for user in section variable docker podman; do
        registry_requests_reset tokens
        expect_exit 0 tally digest "$image"
        [[ $(who_asks) == "GET 200 $user" ]] || fail_because "$(who_asks)"
        case $user in # and now without that one
        section) registry_sections ;;
        variable) unset 'TALLY_ENV[-1]' ;;
        docker) logout it ;;
        esac
    done
}

@test "robot names go through unharmed: passwords" { robot_deploys passwords; }
@test "robot names go through unharmed: tokens" { robot_deploys tokens; }
robot_deploys() {
    web_of "$1"
    registry_password "$1" "$ROBOT" | secret_file "$ETC/secret"
    registry_sections "$1" "username = '$ROBOT'" "password_file = \"$ETC/secret\""
    registry_requests_reset tokens
    deploys_as "$ROBOT"
    [[ $1 != tokens || $(who_asks) == "GET 200 $ROBOT" ]] || fail_because "$(who_asks)"
}

@test "a helper that hangs holds up its own registry only, and not for long" {
    local each
    for each in "$HUB" "$PASSWORDS" "$TOKENS"; do
        image_push "$each/team/$NAME:1" "v1" >/dev/null
        login it passwords pusher && login it tokens pusher
        engine_docker it pull -q "$each/team/$NAME:1"
    done
    site_up <<YAML
services:
  hub:       {image: "$HUB/team/$NAME:1"}
  passwords: {image: "$PASSWORDS/team/$NAME:1"}
  tokens:    {image: "$TOKENS/team/$NAME:1"}
YAML
    for each in hub passwords tokens; do
        printf '[compose]\ndirectory = "%s"\nservices = ["%s"]\n' "$SITE" "$each" | drop_in "$each"
    done
    auths "$PASSWORDS" "$(login_form passwords)" | jq ".credHelpers[\"$TOKENS\"] = \"slow\"" | docker_config
    # It goes on only after the others have been answered.
    helper slow <<SCRIPT
#!/bin/bash
echo \$\$ >"$ETC/slow"
for log in "$(registry_dir hub)/registry.log" "$(registry_dir passwords)/registry.log"; do
    until grep -q '"HEAD /v2/team/$NAME/manifests/1 HTTP/1.1" 200 .*tallyman' "\$log"; do sleep 0.1; done
done
touch "$ETC/others-were-served"
sleep 60
touch "$ETC/slept"
echo '$(helper_answer reader "$(registry_password tokens)")'
SCRIPT
    expect_exit 1 tally run
    [[ -e $ETC/others-were-served && ! -e $ETC/slept ]]
    is_gone "$(cat "$ETC/slow")"
    [[ $(status_of hub .state) == current && $(status_of passwords .state) == current ]]
    [[ $(status_of tokens .state) == unknown && $(status_of tokens .error.kind) == process ]] || fail_because "$(status_of tokens .)"
    for each in "$TOKENS" docker-credential-slow "timed out after 10" config.json; do
        [[ $(status_of tokens .error.message) == *"$each"* ]] || fail_because "$(status_of tokens .error.message)"
    done
}

@test "helpers that fail, flood or talk nonsense: what they said is not repeated" {
    image=$TOKENS/team/$NAME:1
    image_push "$image" "v1" >/dev/null
    public=$(image_push "$TOKENS/public/$NAME:1" "v1")
    echo "{\"credHelpers\": {\"$TOKENS\": \"odd\"}}" | docker_config
    while IFS=@ read -r script message; do
        helper odd <<<"#!/bin/bash
$script"
        expect_exit 1 tally digest "$image"
        says "$image" "$TOKENS refuses anonymous access" "docker-credential-odd" config.json "$message" "docker-credential-odd get shows why"
        [[ $output != *s3cr3t* ]] || fail_because "$output"
        expect_exit 0 tally digest "$TOKENS/public/$NAME:1" # who can do without is not kept from it
        [[ ${lines[-1]} == "$public" ]]
    done <<'TABLE'
echo s3cr3t; echo s3cr3t >&2; exit 1@gave no credential
yes s3cr3t | head -c 10000000@answered too much
yes s3cr3t | head -c 10000000; exit 1@gave no credential
echo s3cr3t@did not answer with JSON
echo '{"Username": "s3cr3t"}'@without Username and Secret
TABLE
    rm "$ETC/bin/docker-credential-odd"
    expect_exit 1 tally digest "$image"
    says "docker-credential-odd" "not in PATH" "[registry.\"DOMAIN\"]"
    helper odd <<<'#!/bin/bash
echo "credentials not found in native keychain"; exit 1'
    expect_exit 1 tally digest "$image"
    says "no credential for $TOKENS was found" "docker login $TOKENS"
}

@test "errors name image, registry, who it was and what to do" {
    config=$(engine_dir it)/config-$E2E_COMPOSE/config.json
    entry='{"auth": "Z29uZTo=", "identitytoken": "it-that-was-revoked-01"}' # gone:
    identity_token holder '{"identitytoken": "it-of-holder-0123456789"}'
    late=$(registry_token tokens late "team/$NAME")
    none='{"auths": {}}'
    for each in team public secret; do image_push "$TOKENS/$each/$NAME:1" "v1" >/dev/null; done
    image_push "$PASSWORDS/team/$NAME:1" "v1" >/dev/null
    errors=0
    # nobody is known
    error_is "$TOKENS/team/$NAME:1" "$none" "refuses anonymous access" "no credential for $TOKENS was found" "$config" "docker login $TOKENS"
    error_is "$PASSWORDS/team/$NAME:1" "$none" "refuses anonymous access" "no credential for $PASSWORDS was found" "docker login $PASSWORDS"
    # rejected; also for what needs none
    for each in team public; do
        error_is "$TOKENS/$each/$NAME:1" "$(auths "$TOKENS" "$(login_form tokens reader wrong-s3cr3t)")" \
            "rejected the credential of reader from $config (401" "also for public images: renew or remove it in $config"
        error_is "$TOKENS/$each/$NAME:1" "$(auths "$TOKENS" "$entry")" \
            "rejected the credential of gone from $config (400" "stored token is rejected" "renew or remove it in $config"
    done
    error_is "$TOKENS/team/$NAME:1" "$(auths "$TOKENS" "{\"registrytoken\": \"$late\"}")" \
        "rejected the registry token from $config (401" "renew the registry token in $config"
    error_is "$PASSWORDS/team/$NAME:1" "$(auths "$PASSWORDS" "$(login_form passwords reader wrong-s3cr3t)")" \
        "rejected the credential of reader from $config (401" "renew the password or token of reader in $config"
    # of no use there
    error_is "$PASSWORDS/team/$NAME:1" "$(auths "$PASSWORDS" "$entry")" \
        "wants a user name and password" "has only an identity token" "docker login $PASSWORDS"
    # no right
    error_is "$TOKENS/secret/$NAME:1" "$(auths "$TOKENS" "$(login_form tokens)")" \
        "gives reader from $config no right to pull secret/$NAME" "check that secret/$NAME exists, that reader may pull it"
    error_is "$TOKENS/secret/$NAME:1" "$(auths "$TOKENS" "{\"registrytoken\": \"$(registry_token tokens reader "team/$NAME")\"}")" \
        "the registry token"
    # not there
    error_is "$TOKENS/team/$NAME:none" "$(auths "$TOKENS" "$(login_form tokens)")" "has no" "(404"
    error_is "$TOKENS/team/$NAME-none:1" "$(auths "$TOKENS" "$(login_form tokens)")" "has no" "(404"
    [[ $errors -eq 0 ]]
}
error_is() { # IMAGE CONFIG_JSON TEXT…: all of them are seen before the test fails
    docker_config <<<"$2"
    expect_exit 1 tally digest "$1" && says "$1" "${1%%/*}" "${@:3}" && [[ $output != *s3cr3t* && $output != *it-that-was* && $output != *eyJ* ]] ||
        errors=$((errors + 1))
}

# $ETC/spy, which helper and compose call while tallyman works, looks for $ETC/secrets in arguments and environment of all processes.
# What it tells is where, and nothing of that itself: they are not all ours.
spy() {
    cat >"$ETC/spy" <<SCRIPT
#!/bin/bash
for place in cmdline environ; do
    for file in \$(grep -lsF -f "$ETC/secrets" /proc/[0-9]*/\$place); do
        pid=\${file#/proc/} && echo "\$place of \$(readlink "/proc/\${pid%/*}/exe")"
    done
done >>"$ETC/seen"
SCRIPT
    chmod 755 "$ETC/spy"
}
# A service for each kind of credential, in one project; $ETC/secrets are all of them.
all_kinds() {
    local each service repository identity token alias
    alias=localhost:$(registry_port passwords) # the same one, for another helper or section
    IDENTITIES="section  $PASSWORDS/team/$NAME reader
auth     $TOKENS/team/$NAME-auth reader
podman   $TOKENS/team/$NAME-podman podman
variable $TOKENS/team/$NAME-variable $ROBOT
identity $TOKENS/team/$NAME-identity holder
token    $TOKENS/team/$NAME-token a registry token
helper   $alias/team/$NAME pusher"
    registry_user tokens podman
    identity_token holder '{"identitytoken": "it-of-holder-0123456789"}'
    token=$(registry_token tokens reader "team/$NAME-token")
    for each in passwords:reader tokens:reader tokens:podman "tokens:$ROBOT" passwords:pusher; do
        registry_password "${each%%:*}" "${each#*:}"
        printf '%s:%s' "${each#*:}" "$(registry_password "${each%%:*}" "${each#*:}")" | base64 -w0
        echo
    done >"$ETC/secrets"
    printf '%s\n' it-of-holder-0123456789 "$token" >>"$ETC/secrets"

    registry_sections passwords 'username = "reader"' 'credential = "shop"'
    printf '[registry."%s"]\nplain_http = true\n' "$alias" >>"$ETC/tallyman.toml"
    mkdir "$ETC/credentials"
    registry_password passwords | secret_file "$ETC/credentials/shop"
    auths "$TOKENS/team/$NAME-podman" "$(login_form tokens podman)" | secret_file "$ETC/auth.json"
    TALLY_ENV+=("CREDENTIALS_DIRECTORY=$ETC/credentials" "REGISTRY_AUTH_FILE=$ETC/auth.json"
        "DOCKER_AUTH_CONFIG=$(auths "$TOKENS/team/$NAME-variable" "$(login_form tokens "$ROBOT")")")
    helper_answer pusher "$(registry_password passwords pusher)" | secret_file "$ETC/vault"
    helper vault <<SCRIPT
#!/bin/bash
"$ETC/spy"
cat "$ETC/vault"
SCRIPT
    CONFIG=$(auths "$TOKENS/team/$NAME-auth" "$(login_form tokens)" \
        "$TOKENS/team/$NAME-identity" '{"auth": "aG9sZGVyOg==", "identitytoken": "it-of-holder-0123456789"}' \
        "$TOKENS/team/$NAME-token" "{\"registrytoken\": \"$token\"}" | jq -c ".credHelpers[\"$alias\"] = \"vault\"")

    login it tokens pusher && login it passwords pusher
    docker_config <<<"$(jq --arg alias "$alias" --arg host "$PASSWORDS" '.auths[$alias] = .auths[$host]' "$(engine_dir it)/config.json")"
    echo 'services:' >"$ETC/compose.yaml"
    while read -r service repository identity; do
        image_push "${repository/localhost/127.0.0.1}:1" "v1" >/dev/null && engine_docker it pull -q "$repository:1"
        echo "  $service: {image: \"$repository:1\"}" >>"$ETC/compose.yaml"
    done <<<"$IDENTITIES"
    site_up <"$ETC/compose.yaml"
    drop_in all <<<"[compose]
directory = \"$SITE\"
services = [\"*\"]
command = [\"$ETC/compose\"]"
    docker_config <<<"$CONFIG"
    while read -r service repository identity; do
        image_push "${repository/localhost/127.0.0.1}:1" "v2" >/dev/null
    done <<<"$IDENTITIES"
}

# What it does see is the variable that tallyman itself got.
nothing_leaked() {
    [[ $(sort -u "$ETC/seen") == "environ of $(realpath "$TALLYMAN")" ]] || fail_because "$(sort "$ETC/seen" | uniq -c)" || return 1
    run grep -rlF -f "$ETC/secrets" -e eyJ "$ETC/out" "$ETC/calls" "$STATUS" "$STATE" # eyJ begins every JSON web token and X-Registry-Auth
    [[ $status -eq 1 && -z $output ]] || fail_because "a secret is in: $output" || return 1
}

@test "no secret of any kind in any log at any level, argv, environment of others, status, memory or record" {
    spy
    compose_wrapper "$ETC/spy" "$ETC/spy"
    all_kinds
    # By hand, so that also what is not for this terminal is in the file.
    tally --log-level debug run >"$ETC/out" 2>&1 || fail_because "run" "$ETC/out"
    [[ $(status_of all .state) == updated ]] || fail_because "$(status_of all .)"
    expect_exit 0 tally --log-level debug --log-format json explain all
    while read -r service repository identity; do says "$repository:1" "http as $identity"; done <<<"$IDENTITIES"
    echo "$output" >>"$ETC/out"
    nothing_leaked
    [[ $(wc -l <"$ETC/seen") -ge 3 ]] # by the helper, and by compose twice
    grep -q '^DOCKER_HOST=' "$ETC/calls"
    [[ -n $(ls "$STATE/deployments") && -e $STATE/memory.json && $(wc -l <"$ETC/out") -gt 50 ]]
    [[ $(stat -c %a "$STATE") == 700 && $(stat -c %a "$STATE/memory.json") == 600 && $(stat -c %a "$STATUS") == 644 ]]
}
