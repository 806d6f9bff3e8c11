# shellcheck shell=bash
# What the tests of the health gate and of rollback share; it stands on lib/tallyman.

# guarded_web [LINE…]: web runs v1 and has a drop-in; LINEs are those of the service in the compose file beside its image, by default its
# port $PORT. $OLD is the digest of v1, $BEFORE are the ids of the project's containers. PUSH_OLD=(…): options for pushing v1.
guarded_web() {
    local lines=("$@")
    [[ $# -gt 0 ]] || lines=("ports: [\"127.0.0.1:$PORT:80\"]")
    # Its own, not one that other tests have as well under names of theirs.
    OLD=$(image_push "$IMAGE:stable" "v1" --label "test=$NAME" "${PUSH_OLD[@]}")
    site_up <<YAML
version: "3.7"
services:
  web:
    image: $IMAGE:stable
$(printf '    %s\n' "${lines[@]}")
YAML
    BEFORE=$(service_ids it "$NAME")
    # shellcheck disable=SC2119 # none
    guard
}
# guard [LINE…]: the drop-in of web, with a gate that is quick to judge; LINEs are added to its [health]
# shellcheck disable=SC2120
guard() {
    drop_in web <<TOML
image = "$IMAGE:stable"
[rollback]
keep = ${KEEP:-3}
[health]
timeout = "${TIMEOUT:-10s}"
settle  = "${SETTLE:-1s}"
$(printf '%s\n' "$@")
TOML
}

# on_first_probe SNIPPET: makes $ETC/probe, a program for [health] command. It always says yes; and when it sees, for the first time, containers
# of web that are none of $BEFORE, it runs SNIPPET, which has their ids in $new and may use this library.
# SNIPPET has a process group of its own and holds the lock: on a busy machine it may take longer than the 5 s of a probe, which
# is then ended without it, and the next probe waits for it.
on_first_probe() {
    cat >"$ETC/probe" <<SCRIPT
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PARTS=$PARTS
source "$E2E_LIB/parts.bash"
source "$E2E_LIB/tallyman.bash"
source "$E2E_LIB/rollback.bash"
exec {lock}>"$ETC/probe.lock"
flock \$lock
[[ ! -e $ETC/probed ]] && new=\$(service_ids it "$NAME" web | grep -vxF "$BEFORE") || exit 0
touch "$ETC/probed"
set -m
{
    $1
} >>"$ETC/probe.log" 2>&1 </dev/null &
wait
exit 0
SCRIPT
    chmod 755 "$ETC/probe"
}

# All containers of a project, running or not, by name; and how compose names its first, second… of a service.
container_names() { engine_docker it ps -a --filter "label=com.docker.compose.project=$1" --format '{{.Names}}' | sort | xargs; }
canonical() { # PROJECT SERVICE NUMBER
    if [[ $E2E_COMPOSE == v1 ]]; then echo "$1_$2_$3"; else echo "$1-$2-$3"; fi
}
rollback_tags() { engine_docker it images --format '{{.Repository}}:{{.Tag}}' | grep -F "$IMAGE:tallyman-rollback-" || true; }
started_at() { engine_docker it inspect -f '{{.State.StartedAt}}' "$1"; }

# rolled_back REASON BAD_DIGEST…: after `expect_exit 4 tally run` of web: the old digest runs, nothing strange is left, and the status file says so
rolled_back() {
    local reason=$1 wanted
    shift
    wanted=$(printf '%s\n' "$@" | sort | xargs)
    says "ROLLED BACK" || return 1
    _status_is web ".state + \" \" + .reason_code" "rolled_back $reason" || return 1
    _status_is web '.quarantined | sort | join(" ")' "$wanted" || return 1
    _status_is web '.images[0].running.digest' "$OLD" || return 1
    _status_is web '.last_deployment.result' rolled_back || return 1
    [[ $(jq -r .run.result "$STATUS") == attention ]] || fail_because "run.result is $(jq -r .run.result "$STATUS")" || return 1
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$OLD" ]] || fail_because "web does not run the old digest" || return 1
    [[ -z $(rollback_tags) ]] || fail_because "a rollback tag is left: $(rollback_tags)"
}
_status_is() { # SERVICE FILTER WANTED
    local value
    value=$(status_of "$1" "$2")
    [[ $value == "$3" ]] || fail_because "$2 is '$value', not '$3', in:
$(status_of "$1" .)"
}

# blames TEXT…: the error in the status file names the container of web and has each TEXT, whatever its case
blames() {
    local message text
    message=$(status_of web .error.message)
    for text in "$(canonical "$NAME" web 1)" "$@"; do
        [[ ${message,,} == *"${text,,}"* ]] || fail_because "the error does not name '$text': $message" || return 1
    done
}
# has_evidence TEXT…: the deployment's folder has its record, and a file beside it has each TEXT, whatever its case
has_evidence() {
    local folder text
    folder=$(status_of web .last_deployment.log)
    [[ $folder == "$STATE/deployments/$(status_of web .last_deployment.id)" ]] || fail_because "the evidence is in '$folder'" || return 1
    jq -e . "$folder/record.json" >/dev/null || fail_because "no record.json in $folder" || return 1
    for text; do
        grep -rqiF --exclude=record.json -- "$text" "$folder" || fail_because "no file of $folder has '$text':
$(head -n 40 "$folder"/*)" || return 1
    done
}

# stays_back: the next tick leaves all as it is
stays_back() {
    local ids
    ids=$(service_ids it "$NAME")
    expect_exit 0 tally run && says quarantined || return 1
    _status_is web .state quarantined || return 1
    [[ $(jq -r .run.result "$STATUS") == attention ]] || fail_because "run.result is $(jq -r .run.result "$STATUS")" || return 1
    [[ $(service_ids it "$NAME") == "$ids" ]] || fail_because "a container was touched"
}

# stays_pending REASON…: tally run says that it did not deploy, for one of these reasons, and nothing was touched
stays_pending() {
    expect_exit 1 tally run && says PENDING || return 1
    _status_is web '.state + " " + (.quarantined | tostring)' 'pending []' || return 1
    [[ " $* " == *" $(status_of web .reason_code) "* ]] || fail_because "the reason is $(status_of web .reason_code), none of: $*" || return 1
    [[ $(service_ids "${ENGINE:-it}" "$NAME") == "$BEFORE" ]] || fail_because "a container was touched"
}

# A test may have stopped it.
hub_is_up() { pid_of "$(registry_dir hub)/registry.pid" >/dev/null || registry_start hub; }
