# shellcheck shell=bash disable=SC2034
# Sourced by the scripts of this folder: where things lie, and how containers are run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
caches=${BOREAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boreal}
cache=$caches/image
archive=$caches/boreal.tar
name=localhost/boreal:test

say() { printf 'boreal image: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

needs() {
    local each
    for each in "$@"; do
        command -v "$each" >/dev/null || fail "$each is missing; on Debian: apt-get install podman runc debootstrap"
    done
    [ "$(id -u)" = 0 ] || fail "this needs root: it makes a root file system, and containers"
}

# Images and containers of these scripts are kept apart from those of the machine. runc, since crun knows cgroups of one
# version only.
containers() {
    podman --root "$cache/storage" --runroot "${TMPDIR:-/tmp}/boreal-image-run" --storage-driver overlay \
        --cgroup-manager cgroupfs --runtime "$(command -v runc)" "$@"
}
mkdir -p "$cache"
