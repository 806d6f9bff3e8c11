#!/bin/bash
# The one place that knows which Debian packages this project needs.
#
#   install-deps.sh WORD...      as root, on Debian 12; WORD is one or more of
#     build        compilers and libraries
#     test         build, and everything that test/run.sh needs, the unpacked parts below included
#     quickstart   build, and what packaging/quickstart.sh needs
#     docker26     only: Docker Engine 26.1 and containerd from Debian 13, unpacked, not installed
#     compose2     only: compose v2 and its docker CLI from Debian 13, unpacked, not installed
#
# Unpacked parts go to ${TALLYMAN_PARTS:-/var/cache/tallyman-test}/{docker26,compose2}:
#     NAME/root    the packages' files     NAME/bin    links to the programs
#     compose2/config   a DOCKER_CONFIG with which compose2/bin/docker finds its compose plug-in
#
# It may be run again, and by several at once: what is there is left alone, and then apt isn't even
# started. A Docker that the machine already has is neither replaced nor upgraded.
set -euo pipefail

parts=${TALLYMAN_PARTS:-/var/cache/tallyman-test}
lock=/run/lock/tallyman-install-deps.lock
apt_opts=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Sandbox::User=root)
policy=/usr/sbin/policy-rc.d
own_policy=""
scratch=""

build_packages=(
    g++ cmake ninja-build pkg-config ccache
    libcurl4-openssl-dev libssl-dev nlohmann-json3-dev libtomlplusplus-dev libspdlog-dev libfmt-dev
    libcli11-dev libyaml-cpp-dev
)
runtime_packages=(docker-registry busybox-static iproute2 iptables socat curl jq openssl python3
    ca-certificates util-linux procps)
test_packages=(
    doctest-dev clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev bats faketime shellcheck git
    docker-compose skopeo apache2-utils python3-jsonschema python3-cryptography nginx-light tinyproxy-bin time systemd
    podman netavark aardvark-dns runc
)

die() {
    printf 'install-deps: %s\n' "$1" >&2
    [[ $# -lt 2 ]] || printf '  fix: %s\n' "${@:2}" >&2
    exit 1
}
say() { printf 'install-deps: %s\n' "$*" >&2; }
on_exit() {
    [[ -z $own_policy ]] || rm -f "$policy"
    [[ -z $scratch ]] || rm -rf "$scratch"
}
trap on_exit EXIT
trap 'exit 130' INT TERM

# Prints those of the given packages that are not installed.
missing_of() {
    local package status
    local -A installed=()
    while read -r package status; do
        [[ $status != installed ]] || installed[$package]=1
    done < <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
    for package; do [[ -n ${installed[$package]:-} ]] || echo "$package"; done
}

# A dockerd that didn't come with docker.io (docker-ce, a static build): docker.io would conflict with it.
has_foreign_dockerd() { command -v dockerd >/dev/null && [[ -n $(missing_of docker.io) ]]; }

apt_update() {
    local try
    for try in 1 2 3 4 5; do # the lock of apt's lists is not covered by DPkg::Lock::Timeout
        if apt-get "$@" -qq update; then return 0; fi
        say "apt-get update failed (try $try of 5)"
        sleep $((try * 2))
    done
    return 1
}

# Packages start their services as soon as they are installed: not on somebody else's machine.
forbid_service_starts() {
    [[ ! -e $policy ]] || return 0
    own_policy=1
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

# … nor at its next boot: tests and quickstart start daemons of their own.
disable_new_services() {
    local package units
    for package; do
        case $package in
        docker.io) units=(docker.service docker.socket) ;;
        containerd) units=(containerd.service) ;;
        docker-registry) units=(docker-registry.service) ;;
        nginx-light) units=(nginx.service) ;;
        podman) units=(podman.service podman.socket podman-restart.service podman-auto-update.timer) ;;
        *) continue ;;
        esac
        systemctl --quiet disable "${units[@]}" 2>/dev/null || continue
        say "$package is installed but not enabled as a service (systemctl enable ${units[0]}, if you want it)"
    done
}

install_packages() {
    local missing log
    mapfile -t missing < <(missing_of "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "installing ${missing[*]}"
    apt_update "${apt_opts[@]}" || die "apt-get update failed" \
        "see apt's message above; check /etc/apt/sources.list* and the network"
    forbid_service_starts
    log=$parts/install-deps.log
    DEBIAN_FRONTEND=noninteractive apt-get "${apt_opts[@]}" install -y -qq \
        --no-install-recommends --no-remove -o Dpkg::Use-Pty=0 "${missing[@]}" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "apt-get could not install ${missing[*]}" "see apt's message above, all of it in $log" \
            "a package that 'has no installation candidate' needs Debian 12's main component in /etc/apt"
    }
    disable_new_services "${missing[@]}"
}

# Prints the repository that this machine's own apt uses for Debian's main component.
debian_repository() {
    # shellcheck disable=SC2016 # the dollars are apt's
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE) $(LABEL)' 'Created-By: Packages' |
        awk '$2 == "main" && $4 == "Debian" && $3 !~ /-/ { print $1; exit }'
}

# unpack NAME SUITE PACKAGE...: those packages of that suite, into $parts/NAME/root. The marker is
# written last, so that a half-done folder is never taken for a whole one.
unpack() {
    local suite=$2 dir=$parts/$1 repository keyring deb
    shift 2
    [[ $(cat "$dir/done" 2>/dev/null) != "$suite $*" ]] || return 0
    repository=$(debian_repository)
    if [[ -z $repository ]]; then # labels are known only once the lists were fetched
        apt_update "${apt_opts[@]}" || true
        repository=$(debian_repository)
    fi
    [[ -n $repository ]] || die "found no Debian main repository in this machine's apt sources" \
        "see apt-get indextargets; /etc/apt must list Debian's main component"
    say "unpacking $suite's $* into $dir"
    rm -rf "$dir"
    scratch=$dir/apt # on the disk that has to hold the rest anyway
    mkdir -p "$scratch"/{lists/partial,cache/archives/partial,debs} "$dir"/{root,bin}
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [[ -e $keyring ]] && keyring="[signed-by=$keyring]" || keyring=""
    printf 'deb %s %s %s main\n' "$keyring" "$repository" "$suite" >"$scratch/sources.list"
    # The post-invoke hook of container images would delete what another apt is downloading right now.
    cat >"$scratch/apt.conf" <<CONF
Dir::Etc::sourcelist "$scratch/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$scratch/lists";
Dir::Cache "$scratch/cache";
Acquire::Languages "none";
APT::Default-Release "";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
    apt_update -c "$scratch/apt.conf" "${apt_opts[@]}" ||
        die "this machine's Debian mirror did not give the package lists of $suite" "see apt's message above"
    (cd "$scratch/debs" && apt-get -c "$scratch/apt.conf" "${apt_opts[@]}" -qq download "$@" >&2) ||
        die "could not download $* of $suite" "see apt's message above; try again"
    for deb in "$scratch"/debs/*.deb; do
        dpkg -x "$deb" "$dir/root" || die "could not unpack $deb" "is there room? df -h $parts"
        rm -f "$deb"
    done
    ln -s "$dir"/root/usr/bin/* "$dir/bin/"
    [[ ! -d $dir/root/usr/sbin ]] || ln -s "$dir"/root/usr/sbin/* "$dir/bin/"
    if [[ -d $dir/root/usr/libexec/docker/cli-plugins ]]; then
        mkdir -p "$dir/config"
        ln -s "$dir/root/usr/libexec/docker/cli-plugins" "$dir/config/cli-plugins"
        echo '{}' >"$dir/config/config.json"
    fi
    rm -rf "$scratch"
    scratch=""
    echo "$suite $*" >"$dir/done"
}

unpack_docker26() { unpack docker26 trixie docker.io containerd; }
unpack_compose2() { unpack compose2 trixie docker-cli docker-compose; }

main() {
    local word engine=(docker.io containerd) usage="$0 build|test|quickstart|docker26|compose2 ..."
    [[ $# -gt 0 ]] || die "what for?" "$usage"
    for word; do
        [[ $word =~ ^(build|test|quickstart|docker26|compose2)$ ]] || die "unknown word '$word'" "$usage"
    done
    command -v apt-get >/dev/null || die "this machine has no apt-get" "use Debian 12"
    [[ $EUID -eq 0 ]] || die "not root" "sudo $0 $*"
    mkdir -p "$parts" /run/lock
    exec 9>"$lock"
    flock 9
    ! has_foreign_dockerd || engine=() # it stays as it is
    for word; do
        case $word in
        build) install_packages "${build_packages[@]}" ;;
        test)
            install_packages "${build_packages[@]}" "${runtime_packages[@]}" "${test_packages[@]}" "${engine[@]}"
            # The tests want 20.10 itself: beside the other one, without a word to dpkg.
            [[ ${#engine[@]} -gt 0 ]] || unpack docker20 bookworm docker.io containerd runc tini
            unpack_docker26
            unpack_compose2
            ;;
        quickstart)
            install_packages "${build_packages[@]}" "${runtime_packages[@]}" "${engine[@]}"
            docker compose version >/dev/null 2>&1 || unpack_compose2
            ;;
        docker26) unpack_docker26 ;;
        compose2) unpack_compose2 ;;
        esac
    done
}
main "$@"
