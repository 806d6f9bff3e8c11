#!/bin/bash
# Installs what it needs, builds, and runs all tests. As root, on Debian 12.
#
#   test/run.sh            as CI does: all of the below but `more`
#   test/run.sh unit       unit tests under AddressSanitizer and UndefinedBehaviorSanitizer only
#   test/run.sh fuzz       every seed and finding of test/fuzz, and some thousand inputs made of them, only
#   test/run.sh e2e        end-to-end tests of the release build only
#   test/run.sh more       the end-to-end tests that CI has no time for
#   test/run.sh lint       format, tidy, shellcheck, the rules of the house only
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$here"
what=${1:-all}
[[ $what =~ ^(all|unit|fuzz|e2e|more|lint)$ ]] || { echo "usage: test/run.sh [unit|fuzz|e2e|more|lint]" >&2; exit 2; }
[[ $EUID -eq 0 ]] || { echo "test/run.sh: not root; the end-to-end tests start engines of their own" >&2; exit 1; }

step() { printf '\n=== %s (%s s)\n' "$*" "$SECONDS"; }

step "install what it needs"
packaging/install-deps.sh test
# What a killed run left behind.
# shellcheck source=test/e2e/lib/parts.bash
(source test/e2e/lib/parts.bash && parts_sweep)

step "configure"
cmake --preset asan -DTALLYMAN_TEST_PROGRAM="$here/.build/release/src/tallyman" \
    -DTALLYMAN_TEST_FAULTY="$here/.build/release/src/tallyman-faulty" >/dev/null
cmake --preset release >/dev/null

labels=(-LE more)
case $what in
unit) labels=(-L unit) ;;
fuzz) labels=(-L fuzz) ;;
e2e) labels=(-L e2e) ;;
more) labels=(-L more) ;;
lint) labels=(-L lint) ;;
esac
if [[ $what == all || $what == e2e || $what == more ]]; then
    step "build the release"
    cmake --build --preset release --target all tallyman-faulty
fi
if [[ $what == all || $what == unit ]]; then
    step "build the unit tests with sanitizers"
    cmake --build --preset asan
fi
if [[ $what == fuzz ]]; then
    step "build the fuzz targets"
    cmake --build --preset asan --target tallyman-fuzz
fi

step "test"
# Half of their time the tests wait: for a health check, for a container to settle.
ctest --test-dir .build/asan --output-on-failure --parallel "$(($(nproc) * 2))" "${labels[@]}"
