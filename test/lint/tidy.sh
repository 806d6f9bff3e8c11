#!/bin/bash
# clang-tidy over src with the checks of .clang-tidy; all findings are errors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find src -name '*.cpp' | sort |
    xargs -P "$(nproc)" -n 4 sh -c 'clang-tidy-19 --quiet "$@" -- -std=c++23 -Iinclude -Isrc -DTALLYMAN_VERSION=\"0\" 2>/dev/null' tidy
