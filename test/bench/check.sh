#!/bin/bash
# How long `tallyman check` takes, against one curl process that asks for the same manifests over HTTP/2.
#
#   TALLYMAN=path/to/tallyman test/bench/check.sh [--n 1,10,100,1000] [--rtt 0,10,50] [--runs 5] [--token] [--with-skopeo]
#
# As root: its CA is added to the system's in a mount namespace of its own, so that all of them trust the registry as they do at home.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec unshare --mount --propagation private python3 -I "$here/check.py" "$@"
