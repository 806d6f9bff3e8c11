#!/bin/bash
# Everything is formatted as .clang-format says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find include src test -name '*.hpp' -o -name '*.cpp' | sort | xargs clang-format-19 --dry-run -Werror
