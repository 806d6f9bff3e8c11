#!/bin/bash
# Rules of the house that no compiler checks: a library that is private to a room is included nowhere else, model does
# nothing but compute, and files stay small.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
complain() { # WHAT LINES
    [[ -z $2 ]] || { printf '%s\n%s\n' "$1" "$2" && status=1; }
}
only_in() { # HEADER-PATTERN FOLDER
    complain "$1 is included outside of $2:" "$(grep -rnE "#include <$1" include src | grep -v "^$2/" || true)"
}
only_in 'curl/' src/io
only_in 'openssl/' src/io
only_in 'spdlog/' src/io
only_in 'toml\+\+/' src/config
only_in 'yaml-cpp/' src/deploy
only_in 'CLI/' src/cli
complain "model reaches outside:" \
    "$(grep -rnE '#include <(unistd|fcntl|sys/|fstream|iostream|cstdio|filesystem)|getenv|system_clock::now|steady_clock::now' \
        include/tallyman/model src/model || true)"
complain "a shell is called:" "$(grep -rnE '\b(system|popen) *\(|"/bin/sh"' include src || true)"
complain "too large, split it:" "$(find include src -name '*.?pp' -exec wc -l {} + | awk '$2 != "total" && $1 > 400' || true)"
# A unity build (presets release and asan) makes them overloads of each other, and may then silently pick the other one.
complain "two files of a room have a function of one name in their anonymous namespaces:" "$(awk '
    FNR == 1 || /^}  \/\/ namespace$/ { inside = 0 }
    /^namespace \{$/ { inside = 1 }
    inside && /^[A-Za-z_].*\(/ && !/^(using|struct|class|enum|template|constexpr [^(]* =|const [^(]* =|static_assert)/ {
        head = $0; sub(/\(.*/, "", head)
        count = split(head, words, /[ *&>:]+/); name = words[count]
        if (name !~ /^[a-z_][a-z0-9_]*$/ || head ~ /::[a-z_0-9]+$/) next
        room = FILENAME; sub(/\/[^\/]*$/, "", room)
        if ((room, name) in first && first[room, name] != FILENAME) print name ": " first[room, name] " and " FILENAME
        else first[room, name] = FILENAME
    }' src/*/*.cpp)"
exit $status
