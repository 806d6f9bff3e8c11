# shellcheck shell=bash
# All of the library; `load lib/parts` in a bats file.
for part in common registry image engine podman compose; do
    # shellcheck source=/dev/null
    source "$(dirname "${BASH_SOURCE[0]}")/$part.bash"
done
unset part
