# shellcheck shell=bash
# Images without pulling or building: test/support/push_image.py makes and pushes them in about 0.1 s.

# image_push REF TEXT [option…]: pushes an image whose httpd serves TEXT on port 80, prints its manifest digest.
#   --cmd 'exit 1'   --healthcheck 'wget -q -O- http://127.0.0.1/'   --label K=V   --env K=V   --platform linux/arm64/v8
#   --oci   --ballast BYTES   --print config        REF without a tag: by digest only. For the rest: push_image.py --help
# image_index REF PLATFORM=DIGEST… [--oci]: an index of images that were pushed by digest; attestation=DIGEST too.
# Pushes as `pusher` where the registry wants a password.
image_push() { _push_image "$@"; }
image_index() {
    local reference=$1 entries=() options=() each
    shift
    for each; do
        if [[ $each == *=sha256:* ]]; then entries+=("$each"); else options+=("$each"); fi
    done
    _push_image "$reference" "${options[@]}" --index "${entries[@]}"
}
# image_tag REF DIGEST: lets REF's tag point to a manifest that its repository has; prints DIGEST.
image_tag() {
    local name repository=${1%:*} curl=(curl -sS --fail-with-body -K "$PARTS/tag.conf") url type
    name=$(_registry_of "$1") || return 1
    : >"$PARTS/tag.conf"
    [[ $(cat "$(registry_dir "$name")/kind") != token ]] || fail_because "image_tag: not with tokens; push again" || return 1
    ! _has_tls "$name" || curl+=(--cacert "$(registry_ca)")
    [[ ! -e $(registry_dir "$name")/pusher.password ]] || echo "user = \"pusher:$(registry_password "$name" pusher)\"" >"$PARTS/tag.conf"
    url=$(registry_url "$name")/v2/${repository#*/}/manifests
    type=$("${curl[@]}" -o "$PARTS/tag.body" -w '%{content_type}' "$url/$2" -H 'Accept: application/vnd.oci.image.index.v1+json' \
        -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
        -H 'Accept: application/vnd.docker.distribution.manifest.list.v2+json') &&
        "${curl[@]}" -o "$PARTS/tag.answer" -X PUT -H "Content-Type: $type" --data-binary "@$PARTS/tag.body" "$url/${1##*:}" &&
        echo "$2"
}

# image_load ENGINE REF TEXT [option…]: an image that the engine has and no registry knows; options as for image_push
image_load() {
    local file
    file=$(mktemp "$PARTS/image.XXXXXX")
    "$E2E_SUPPORT/push_image.py" "$file" "${@:3}" --save "$2" >/dev/null && engine_docker "$1" load -q -i "$file"
    rm -f "$file"
}

# Which of our registries REF is in.
_registry_of() {
    local each
    for each in "$PARTS"/registry/*/port; do
        [[ ${1%%/*} != "127.0.0.1:$(cat "$each")" ]] || { basename "$(dirname "$each")"; return; }
    done
    fail_because "$1 is in none of this test's registries"
}
_push_image() { # REF …
    local name options=()
    name=$(_registry_of "$1") || return 1
    ! _has_tls "$name" || options+=(--cacert "$(registry_ca)")
    [[ ! -e $(registry_dir "$name")/pusher.password ]] || options+=(--user "pusher:$(registry_password "$name" pusher)")
    "$E2E_SUPPORT/push_image.py" "$1" "${options[@]}" "${@:2}"
}
