#!/bin/sh
# Installs what the build needs and the machine lacks: a C compiler and cmake, which two
# dependencies of Pingora are built with; with the word `lints`, what only the lints need; with the
# word `interop`, what the gateways' own libraries run on; with the word `store`, Redis, which the
# tests start themselves.
set -eu

missing=""
command -v cmake >/dev/null 2>&1 || missing="$missing cmake"
command -v cc >/dev/null 2>&1 || missing="$missing build-essential"
if [ "${1:-}" = interop ]; then
    command -v node >/dev/null 2>&1 || missing="$missing nodejs"
    command -v npm >/dev/null 2>&1 || missing="$missing npm"
    # Debian's Python comes without what a venv is made with.
    python3 -c "import ensurepip, venv" 2>/dev/null || missing="$missing python3 python3-venv"
fi
if [ "${1:-}" = store ]; then
    # Of its own service, where the package starts one, the tests want nothing.
    command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "cargo is missing: install Rust from https://rustup.rs" >&2
    exit 1
fi
if [ "${1:-}" = lints ]; then
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    exit 0
fi
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "please install:$missing" >&2
    exit 1
fi
root=""
[ "$(id -u)" = 0 ] || root="sudo"
echo "installing:$missing"
# shellcheck disable=SC2086
$root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing >/dev/null
