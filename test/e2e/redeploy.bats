#!/usr/bin/env bats
# [redeploy]: a script recreates, and everything else is as with compose; and [hooks].
# shellcheck disable=SC2016 # what is in single quotes is for other shells

load lib/parts
load lib/tallyman
load lib/redeploy

setup_file() { tallyman_setup_file; }
setup() { tallyman_setup; }
teardown() { redeploy_teardown; }
teardown_file() { parts_stop; }

@test "a script that removes and runs: updated, with what it needs in its environment and no more" {
    script_app
    script_drop_in 'command = ["/bin/echo", "asked by the gate"]'
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run --dry-run
    says "cd $SITE && CHANNEL=stable ./start.sh --no-rag"
    expect_exit 0 tally explain app
    says "./start.sh --no-rag"
    [[ $(app_ids) == "$BEFORE" ]]

    TALLY_ENV=(CREDENTIALS_DIRECTORY=/run/credentials/tallyman TALLYMAN_TEST=a-secret)
    expect_exit 0 tally run
    says UPDATED "1/1 verified, down" "recreate script ./start.sh"
    engine_serves it "http://127.0.0.1:$PORT/" v2
    [[ $(app_digest) == "$new" && $(app_ids) != "$BEFORE" ]]
    app_is '.state + " " + .reason_code' "updated deployed"
    [[ $(cat "$ETC/arguments") == "$SITE: --no-rag" ]]
    has_variables "$ETC/env.1" "TALLYMAN_SERVICE=app" "TALLYMAN_IMAGE=$IMAGE:stable" "TALLYMAN_TAG=stable" "TALLYMAN_DIGEST=$new" \
        "TALLYMAN_PREVIOUS_DIGEST=$OLD" "TALLYMAN_DEPLOYMENT=$(status_of app .last_deployment.id)" CHANNEL=stable LC_ALL=C \
        "DOCKER_HOST=unix://$(engine_socket it)"
    engine_docker it image inspect "$(sed -n 's/^TALLYMAN_PREVIOUS_IMAGE=//p' "$ETC/env.1")" | grep -qF "$OLD"
    [[ $(cut -d= -f1 "$ETC/env.1" | grep -vxE 'PWD|SHLVL|_|OLDPWD' | xargs) == "CHANNEL DOCKER_CONFIG DOCKER_HOST HOME LC_ALL PATH \
TALLYMAN_DEPLOYMENT TALLYMAN_DIGEST TALLYMAN_IMAGE TALLYMAN_PREVIOUS_DIGEST TALLYMAN_PREVIOUS_IMAGE TALLYMAN_SERVICE TALLYMAN_TAG" ]]
    grep -q '^[0-9a-f]*$' "$(kept recreate-1.log)"
    grep -qx "asked by the gate" "$(kept health-1.log)"

    expect_exit 0 tally run
    says "1 current"
    [[ $(wc -l <"$ETC/count") == 1 ]]
}

@test "a script that calls compose" {
    OLD=$(image_push "$IMAGE:stable" "v1")
    site_up --scale web=2 <<YAML
services:
  web: {image: "$IMAGE:stable"}
YAML
    printf '#!/bin/bash\nexec docker compose -p %s up -d --scale web=2\n' "$NAME" >"$SITE/start.sh"
    chmod 755 "$SITE/start.sh"
    script_drop_in
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    says UPDATED "2/2 verified"
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" ]]
    bad=$(image_push "$IMAGE:stable" "v3" --cmd 'exit 1')
    expect_exit 4 tally run
    [[ $(service_digests it "$NAME" web "$IMAGE") == "$new" && $(service_ids it "$NAME" web | wc -l) == 2 ]]
    app_is '.quarantined | join(" ")' "$bad"
}

@test "a bad image: the script puts the old one back, and on_failure is told" {
    script_app
    hook on_failure 'echo so sorry; exit 1'
    hook after 'exit 0'
    script_drop_in "[hooks]" "after = [\"$ETC/after\"]" "on_failure = [\"$ETC/on_failure\"]"
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'echo broken beyond words; exit 7')
    expect_exit 4 tally run
    says "ROLLED BACK" "restore script ./start.sh" "hook on_failure of app: exit status 1: so sorry"
    app_is '.state + " " + .reason_code' "rolled_back unhealthy"
    app_is '.quarantined | join(" ")' "$bad"
    [[ $(app_digest) == "$OLD" && $(app_ids | wc -l) == 1 ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1
    has_variables "$ETC/env.2" TALLYMAN_ROLLBACK=1 "TALLYMAN_DIGEST=$OLD" "TALLYMAN_PREVIOUS_DIGEST=$bad" "TALLYMAN_IMAGE=$IMAGE:stable"
    [[ ! -e $ETC/env.3 && ! -e $ETC/env.after ]]
    has_variables "$ETC/env.on_failure" TALLYMAN_OUTCOME=rolled_back "TALLYMAN_DIGEST=$bad" "TALLYMAN_PREVIOUS_DIGEST=$OLD"
    grep -q "broken beyond words" "$(kept "$NAME.txt")"
    [[ -s $(kept restore-1.log) && $(cat "$(kept on_failure-1.log)") == "so sorry" ]]
    expect_exit 0 tally run
    says quarantined
    [[ ! -e $ETC/env.3 ]]
}

@test "a script that fails half way: it is run again with the old image" {
    script_app
    start_script "" '[[ $call == 2 ]] || { echo no such network >&2; exit 3; }'
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 4 tally run
    app_is '.state + " " + .reason_code' "rolled_back recreate_failed"
    says "script ./start.sh: exit status 3: " "no such network"
    [[ $(app_digest) == "$OLD" && $(app_ids) != "$BEFORE" ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1
}

@test "a script that fails at once: nothing is touched, and it is not run again" {
    script_app
    start_script 'exit 1'
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 4 tally run
    app_is '.state + " " + .reason_code' "rolled_back recreate_failed"
    [[ $(app_ids) == "$BEFORE" && $(wc -l <"$ETC/count") == 1 ]]
}

@test "a script that stopped its container and died: it is started again" {
    script_app
    start_script "docker stop -t 0 $NAME; exit 1"
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 4 tally run
    says "tidy $NAME"
    [[ $(app_ids) == "$BEFORE" && $(wc -l <"$ETC/count") == 1 ]]
    engine_serves it "http://127.0.0.1:$PORT/" v1
}

@test "a script that hangs is killed with all that it started" {
    script_app
    TIMEOUT=15s script_drop_in
    start_script "" "[[ \$call == 2 ]] || { sleep 1000 & printf '%s\\n' \$! \$\$ >$ETC/pids; sleep 1001; }"
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 4 tally run
    says "timed out after 15.0 s"
    [[ $(wc -l <"$ETC/pids") == 2 ]]
    while read -r pid; do is_gone "$pid"; done <"$ETC/pids"
    app_is '.state + " " + .reason_code' "rolled_back recreate_failed"
    [[ $(app_digest) == "$OLD" ]]
}

@test "a script that pulls by itself defeats the rollback, and is told so" {
    script_app
    start_script "docker pull -q $IMAGE:stable"
    bad=$(image_push "$IMAGE:stable" "v2" --cmd 'echo no; exit 7')
    expect_exit 1 tally run
    app_is '.state + " " + .reason_code' "failed rollback_failed"
    says "the script moved the local tag $IMAGE:stable to another image: it pulls or builds by itself"
    app_is '.quarantined | join(" ")' "$bad"
}

@test "a container that nobody manages is reported, and never touched" {
    script_app
    drop_in app <<<"image = \"$IMAGE:stable\""
    image_push "$IMAGE:stable" "v2" >/dev/null
    expect_exit 0 tally run
    app_is '.state + " " + .reason_code' "pending unmanaged"
    [[ $(app_ids) == "$BEFORE" && ! -e $ETC/count ]]
}

@test "before: runs after the pull and before anything is touched, and its failure stops the deployment" {
    script_app
    new=$(image_push "$IMAGE:stable" "v2")
    hook before "docker image inspect $IMAGE@$new >$ETC/pulled && docker image inspect $IMAGE:stable >$ETC/tagged; echo no room for the dump; exit 4"
    script_drop_in "[hooks]" "before = [\"./before\", \"db\"]" "directory = \"$ETC\"" "on_failure = [\"/bin/false\"]"
    expect_exit 1 tally run
    says PENDING "hook before of app: exit status 4: no room for the dump"
    app_is '.state + " " + .reason_code' "pending hook_failed"
    [[ $(app_ids) == "$BEFORE" && ! -e $ETC/count ]]
    grep -qF "$OLD" "$ETC/tagged"
    has_variables "$ETC/env.before" "TALLYMAN_DIGEST=$new" "TALLYMAN_PREVIOUS_DIGEST=$OLD" TALLYMAN_SERVICE=app
    [[ $(cat "$(kept before-1.log)") == "no room for the dump" ]]

    hook before 'sleep 1000'
    sed -i 's/^\[hooks\]/&\ntimeout = "5s"/' "$ETC/conf.d/app.toml"
    expect_exit 1 tally run
    says "hook before of app: timed out after 5.0 s"
    [[ $(app_ids) == "$BEFORE" ]]

    hook before 'echo dumped'
    expect_exit 0 tally run
    says UPDATED
    [[ $(app_digest) == "$new" && $(cat "$(kept before-1.log)") == dumped ]]
}

@test "after: its failure, or endless output, leaves the outcome as it is; hooks stand beside compose, too" {
    OLD=$(image_push "$IMAGE:stable" "v1")
    site_up <<YAML
services:
  web: {image: "$IMAGE:stable"}
YAML
    hook before 'echo dumped'
    hook after 'yes forever'
    drop_in app <<TOML
image = "$IMAGE:stable"
[hooks]
before = ["$ETC/before"]
after = ["$ETC/after"]
timeout = "2s"
TOML
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    says UPDATED "hook after of app: timed out after 2.0 s"
    ((${#output} < 100000)) || fail_because "${#output} bytes of output"
    app_is '.state + " " + .reason_code' "updated deployed"
    has_variables "$ETC/env.after" TALLYMAN_OUTCOME=updated "TALLYMAN_DIGEST=$new"
    [[ $(stat -c %s "$(kept after-1.log)") -lt $((17 * 1024 * 1024)) ]]
    [[ -s $(kept recreate-1.log) ]]
    expect_exit 0 tally run
}

@test "100 MB of output, binary and without a newline" {
    script_app
    start_script "" "" 'head -c 100000000 /dev/urandom | tr -d "\n"; printf "the end"'
    new=$(image_push "$IMAGE:stable" "v2")
    expect_exit 0 tally run
    ((${#output} < 100000)) || fail_because "${#output} bytes of output"
    [[ $(app_digest) == "$new" ]]
    log=$(kept recreate-1.log)
    [[ $(stat -c '%a' "$log") == 600 && $(stat -c %s "$log") -gt $((16 * 1024 * 1024)) && $(stat -c %s "$log") -lt $((17 * 1024 * 1024)) ]]
    [[ $(tail -c 7 "$log") == "the end" ]]
    [[ $(stat -c %s "$STATUS") -lt 10000 ]]
}
