#!/usr/bin/env bats
# Registries behind TLS with certificates of every sort, and behind proxies. They live in the engine's network
# namespace on an address that no engine takes for insecure, and all serve what was pushed to the hub.

load lib/parts
load lib/tallyman

ADDRESS=192.0.2.10 # TEST-NET-1
ADDRESS6=fd00:7a::10
PROXY_ADDRESS=192.0.2.20
CERTS_D=/etc/docker/certs.d # dockerd has no other; ours are told apart by their ports

setup_file() {
    tallyman_setup_file
    need_program /usr/bin/tinyproxy /usr/bin/faketime
    local each netns
    netns=$(engine_netns it)
    for each in "$ADDRESS/32" "$PROXY_ADDRESS/32"; do ip -n "$netns" address add "$each" dev lo; done
    ip -n "$netns" address add "$ADDRESS6/128" dev lo nodad
    mkdir "$PARTS/tls"
    make_certificates
    tls_registry good "$ADDRESS" good
    tls_registry expired "$ADDRESS" expired
    tls_registry elsewhere "$ADDRESS" elsewhere
    tls_registry self "$ADDRESS" self
    tls_registry mutual "$ADDRESS" good ca.pem
    tls_registry plain "$ADDRESS"
    tls_registry ipv6 "[$ADDRESS6]" good
    proxy open
    proxy login "BasicAuth robot s3cr3tpw"
    proxy refusing 'ConnectPort 1'
}
setup() {
    tallyman_setup
    TALLY_ENV=()
}
teardown() {
    tallyman_teardown
    rm -rf "$(engine_dir it)/home/.config" "${CERTS_D:?}/$(at good)"
    rmdir --ignore-fail-on-non-empty -p "$CERTS_D" 2>/dev/null || true
}
teardown_file() { parts_stop; }

make_certificates() {
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    cd "$PARTS/tls" || return
    {
        openssl req -x509 "${key[@]}" -days 30 -subj "/O=Acme/CN=Acme Root" -keyout ca.key -out ca.pem &&
            openssl req -x509 "${key[@]}" -days 30 -subj /CN=self -addext "subjectAltName=IP:$ADDRESS" -keyout self.key -out self.pem &&
            sign good "IP:$ADDRESS,IP:$ADDRESS6" && sign elsewhere DNS:harbor.example && sign robot DNS:robot &&
            sign expired "IP:$ADDRESS" faketime '2021-05-01 00:00:00'
    } >openssl.log 2>&1 || fail_because "openssl made no certificates" openssl.log
}
sign() { # NAME SUBJECT_ALT_NAME [faketime TIME]
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" &&
        "${@:3}" openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
            -extfile <(echo "subjectAltName=$2") -out "$1.pem"
}

at() { cat "$PARTS/tls/$1.at"; } # NAME: its ADDRESS:PORT

# tls_registry NAME ADDRESS [CERTIFICATE [CLIENT_CA]]
tls_registry() {
    local file=$PARTS/tls/$1.yml dir=$PARTS/tls
    echo "$2:$(free_port)" >"$dir/$1.at"
    {
        printf '%s\n' 'version: 0.1' 'log: {level: error}' "storage: {filesystem: {rootdirectory: $(registry_dir hub)/data}}" \
            'http:' "  addr: \"$(at "$1")\"" '  secret: not-a-secret'
        [[ -z ${3:-} ]] || printf '  tls: {certificate: %s, key: %s%s}\n' "$dir/$3.pem" "$dir/$3.key" "${4:+, clientcas: [$dir/$4]}"
    } >"$file"
    in_namespace "it-tls-$1" "${2//[\[\]]/}" "$(at "$1")" /usr/bin/docker-registry serve "$file"
}
# proxy NAME [LINE]: a tinyproxy, with that line in its configuration
proxy() {
    local file=$PARTS/tls/$1.conf
    echo "$PROXY_ADDRESS:$(free_port)" >"$PARTS/tls/proxy-$1.at"
    printf '%s\n' "Port $(at "proxy-$1" | cut -d: -f2)" "Listen $PROXY_ADDRESS" 'Timeout 60' 'LogLevel Connect' \
        "LogFile \"$PARTS/tls/proxy-$1.log\"" "${2:-}" >"$file"
    in_namespace "it-proxy-$1" "$PROXY_ADDRESS" "$(at "proxy-$1")" /usr/bin/tinyproxy -d -c "$file"
}
in_namespace() { # NAME ADDRESS ADDRESS:PORT COMMAND…
    local name=$1 place=$3
    shift 3
    start_daemon "$PARTS/bridge" "$name" nsenter --net="/run/netns/$(engine_netns it)" "$@"
    wait_until "$name listens" "$PARTS/bridge/$name.log" _is_listening_there "$(engine_netns it)" "${place##*:}"
}
went_through() { grep -qF "CONNECT $(at "$2")" "$PARTS/tls/proxy-$1.log"; } # PROXY REGISTRY

# section NAME LINE…: tallyman.toml for that registry
section() {
    printf '[registry."%s"]\n' "$(at "$1")" >"$ETC/tallyman.toml"
    printf '%s\n' "${@:2}" >>"$ETC/tallyman.toml"
}
trust() { section "$1" "ca_file = \"$PARTS/tls/ca.pem\"" "${@:2}"; }
user_certs_d() { # REGISTRY: its folder
    local folder
    folder=$(engine_dir it)/home/.config/containers/certs.d/$(at "$1")
    mkdir -p "$folder"
    echo "$folder"
}
push() { DIGEST=$(image_push "$IMAGE:1" "${1:-v1}"); }
image_at() { echo "$(at "$1")/team/$NAME:1"; }
gets_digest() { # REGISTRY
    expect_exit 0 tally digest "$(image_at "$1")"
    [[ ${lines[-1]} == "$DIGEST" ]] || fail_because "$output"
}
refused() { # REGISTRY TEXT…
    expect_exit 1 tally digest "$(image_at "$1")"
    says "${@:2}"
}

@test "a private authority: by ca_file, by certs.d, and a message that says so" {
    push
    refused good "does not know the issuer CN=Acme Root,O=Acme" "ca_file under [registry.\"$(at good)\"]" \
        "/etc/docker/certs.d/$(at good)/ca.crt" update-ca-certificates
    trust good
    gets_digest good
    rm "$ETC/tallyman.toml"
    cp "$PARTS/tls/ca.pem" "$(user_certs_d good)/ca.crt"
    gets_digest good
}

@test "the system's roots still count beside ca_file" {
    push
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=other -keyout "$ETC/o.key" -out "$ETC/o.pem" 2>/dev/null
    section good "ca_file = \"$ETC/o.pem\""
    refused good "does not know the issuer"
    TALLY_ENV=(SSL_CERT_FILE="$PARTS/tls/ca.pem")
    gets_digest good
}

@test "expired, for another host, self-signed: each says what is wrong" {
    push
    trust expired
    refused expired "expired on 2021-05-31T00:00:0" "renew it"
    trust elsewhere
    refused elsewhere "is for another host: harbor.example" "have one made for $ADDRESS"
    refused self "it is a self-signed certificate (CN=self)" "ca_file under"
    section self "ca_file = \"$PARTS/tls/self.pem\""
    gets_digest self
}

@test "mutual TLS: missing, by the section, by certs.d, half a pair" {
    push
    trust mutual
    refused mutual "wants a client certificate" "client_cert and client_key under [registry.\"$(at mutual)\"]"
    trust mutual "client_cert = \"$PARTS/tls/robot.pem\"" "client_key = \"$PARTS/tls/robot.key\""
    gets_digest mutual
    trust mutual "client_cert = \"$PARTS/tls/self.pem\"" "client_key = \"$PARTS/tls/self.key\""
    refused mutual "does not take our client certificate"
    rm "$ETC/tallyman.toml"
    folder=$(user_certs_d mutual)
    cp "$PARTS/tls/ca.pem" "$folder/ca.crt"
    cp "$PARTS/tls/robot.pem" "$folder/client.cert"
    expect_exit 2 tally digest "$(image_at mutual)"
    says "$folder/client.cert has no $folder/client.key beside it"
    cp "$PARTS/tls/robot.key" "$folder/client.key"
    gets_digest mutual
}

@test "https refused, but http answers" {
    push
    refused plain "refuses https on" "but answers http on" "plain_http = true under [registry.\"$(at plain)\"]"
    section plain "plain_http = true"
    gets_digest plain
}

@test "IPv6" {
    push
    trust ipv6
    gets_digest ipv6
}

@test "through a proxy: by variables, by the section, and past it" {
    push
    trust good
    TALLY_ENV=(HTTPS_PROXY="http://$(at proxy-open)" NO_PROXY=harbor.example)
    gets_digest good
    went_through open good
    trust mutual "client_cert = \"$PARTS/tls/robot.pem\"" "client_key = \"$PARTS/tls/robot.key\"" "proxy = \"none\""
    gets_digest mutual
    trust ipv6 "proxy = \"http://robot:s3cr3tpw@$(at proxy-login)\""
    TALLY_ENV=(all_proxy="http://$PROXY_ADDRESS:1")
    gets_digest ipv6
    went_through login ipv6
    section plain 'plain_http = true'
    TALLY_ENV=(HTTP_PROXY="http://$PROXY_ADDRESS:1" no_proxy="10.0.0.0/8,192.0.2.0/24")
    gets_digest plain
    ! went_through open mutual || fail_because "it went through the proxy"
}

@test "a proxy that refuses or is not there is named, without its password" {
    push
    trust good "proxy = \"http://$(at proxy-login)\""
    refused good "the proxy http://$(at proxy-login) (proxy of [registry.\"$(at good)\"]) wants a login (407)"
    trust good "proxy = \"http://robot:wrongpw@$(at proxy-login)\""
    refused good "the proxy http://$(at proxy-login)" "rejects our user name and password"
    [[ $output != *wrongpw* ]] || fail_because "a password is shown"
    trust good
    TALLY_ENV=(https_proxy="http://robot:wrongpw@$(at proxy-refusing)")
    refused good "the proxy http://$(at proxy-refusing) (\$https_proxy) refuses the way (403)" "NO_PROXY"
    TALLY_ENV=(https_proxy="http://robot:wrongpw@$PROXY_ADDRESS:1")
    refused good "the proxy http://$PROXY_ADDRESS:1 (\$https_proxy) refused the connection"
    TALLY_ENV=(https_proxy="http://proxy.invalid:3128")
    refused good "the proxy http://proxy.invalid:3128 (\$https_proxy) cannot be resolved"
    [[ $output != *wrongpw* ]] || fail_because "a password is shown"
}

@test "nobody listens, and no such host" {
    expect_exit 1 tally digest "$ADDRESS:1/team/$NAME:1"
    says "$ADDRESS:1 refused the connection" "see that it runs"
    expect_exit 1 tally digest "registry.invalid/team/$NAME:1"
    says "cannot resolve registry.invalid" "getent hosts registry.invalid"
}

@test "validate names certificates that cannot be used" {
    section good "ca_file = \"$ETC/missing.pem\""
    expect_exit 1 tally validate
    says "[registry.\"$(at good)\"]: cannot read $ETC/missing.pem"
    section good "ca_file = \"$ETC/tallyman.toml\""
    expect_exit 1 tally validate
    says "no certificate in PEM form"
    trust good
    expect_exit 0 tally validate
}

@test "the check works and dockerd does not trust the registry: what is missing is said, then it deploys" {
    push
    mkdir -p "$CERTS_D/$(at good)"
    cp "$PARTS/tls/ca.pem" "$CERTS_D/$(at good)/ca.crt"
    image=$(image_at good)
    engine_docker it pull -q "$image"
    rm -r "${CERTS_D:?}/$(at good)"
    site_up <<YAML
services: {web: {image: "$image"}}
YAML
    before=$(service_ids it "$NAME")
    drop_in web <<<"image = \"$image\""
    trust good
    push v2
    expect_exit 1 tally run
    says PENDING "dockerd does not know the registry's authority" "$CERTS_D/$(at good)/ca.crt" \
        "tallyman's own check works, over https, anonymous"
    [[ $(status_of web .error.kind) == tls ]]
    [[ $(service_ids it "$NAME") == "$before" ]]
    mkdir -p "$CERTS_D/$(at good)"
    cp "$PARTS/tls/ca.pem" "$CERTS_D/$(at good)/ca.crt"
    expect_exit 0 tally run
    says "1 updated"
    [[ $(service_digests it "$NAME" web "${image%:*}") == "$DIGEST" ]]
}
