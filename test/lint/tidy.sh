#!/bin/bash
# clang-tidy over src with the checks of .clang-tidy; all findings are errors. The files of a room are read together, which
# is several times quicker: the headers are parsed and looked at once. Some have names in common with a neighbour and stand alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

alone=$(sed -n '/^set_source_files_properties/,/SKIP_UNITY/p' src/CMakeLists.txt | grep -o '[a-z]*/[a-z_]*\.cpp' | sed 's|^|src/|')
for room in src/*/; do
    find "$room" -name '*.cpp' | sort | grep -vxF "$alone" | sed 's|.*|#include "&"|' >"$work/$(basename "$room").cpp"
done
{ printf '%s\n' "$work"/*.cpp && echo "$alone" && echo src/main.cpp; } |
    xargs -P "$(nproc)" -n 1 sh -c 'clang-tidy-19 --quiet --config-file=.clang-tidy --checks=-bugprone-suspicious-include --header-filter="src/.*[.]cpp" "$@" -- -std=c++23 -I. -Iinclude -Isrc -DTALLYMAN_VERSION=\"0\" 2>/dev/null' tidy
