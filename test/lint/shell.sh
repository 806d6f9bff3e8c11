#!/bin/bash
# All shell of the project, by shellcheck. In bats files `run` sets what shellcheck cannot see.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
shellcheck -x packaging/*.sh test/*.sh test/lint/*.sh test/bench/*.sh test/fuzz/*.sh .ci/run
shellcheck -x -s bash -e SC2034,SC2154 test/e2e/lib/*.bash
shellcheck -x -s bats -e SC1091,SC2034,SC2154,SC2153,SC2030,SC2031,SC2046 test/e2e/*.bats
