#!/usr/bin/env bats
# A short soak. A seed that found something goes to test/soak.sh.

@test "random deployments, killed, broken and changed by hand, leave no service broken" {
    run "$BATS_TEST_DIRNAME/../soak.sh" "${E2E_SOAK_COUNT:-12}" ${E2E_SOAK_SEED:+"$E2E_SOAK_SEED"}
    echo "$output"
    [[ $status -eq 0 ]]
}
