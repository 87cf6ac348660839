#!/bin/sh
# Installs what the build needs and the machine lacks: a C compiler and cmake, which two
# dependencies of Pingora are built with; with the word `lints`, what only the lints need; with the
# word `interop`, what the gateways' own libraries run on; with the word `store`, Redis, which the
# tests start themselves; with the word `observability`, promtool, which judges the alerts; with the
# word `browser`, what the status page is looked at with; with the word `pods`, podman, which runs the
# pods of the tests; with the word `manifests`, what those are installed with that judge the manifests;
# with the word `bench`, whom Kawal is measured beside, and what loads them; with the word
# `instructions`, valgrind, which counts them.
set -eu

missing=""
command -v cmake >/dev/null 2>&1 || missing="$missing cmake"
command -v cc >/dev/null 2>&1 || missing="$missing build-essential"
if [ "${1:-}" = interop ]; then
    command -v node >/dev/null 2>&1 || missing="$missing nodejs"
    command -v npm >/dev/null 2>&1 || missing="$missing npm"
fi
if [ "${1:-}" = interop ] || [ "${1:-}" = manifests ]; then
    # Debian's Python comes without what a venv is made with.
    python3 -c "import ensurepip, venv" 2>/dev/null || missing="$missing python3 python3-venv"
fi
if [ "${1:-}" = store ]; then
    # Of its own service, where the package starts one, the tests want nothing.
    command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
fi
if [ "${1:-}" = browser ]; then
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
    command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
fi
if [ "${1:-}" = bench ]; then
    PATH="$PATH:/usr/sbin"
    for program in haproxy nginx wrk redis-server; do
        command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
    done
    # Debian's; elsewhere the module may lie elsewhere, and the run says whether it finds it.
    [ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] || ! command -v apt-get >/dev/null 2>&1 ||
        missing="$missing libnginx-mod-http-js"
fi
if [ "${1:-}" = instructions ]; then
    command -v valgrind >/dev/null 2>&1 || missing="$missing valgrind"
fi

if [ "${1:-}" = pods ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "pods run only as root: tests of pods will be skipped" >&2
        exit 0
    fi
    # What podman calls, each of them; its own package asks for some of it only by recommendation.
    for program in podman runc conmon catatonit iptables; do
        command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
    done
    command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
    for program in netavark aardvark-dns; do
        [ -x "/usr/lib/podman/$program" ] || [ -x "/usr/libexec/podman/$program" ] ||
            missing="$missing $program"
    done
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
root=""
[ "$(id -u)" = 0 ] || root="sudo"
if [ "${1:-}" = observability ]; then
    tool="$(dirname "$0")/../../target/tools/promtool"
    if command -v promtool >/dev/null 2>&1 || [ -x "$tool" ]; then exit 0; fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "promtool is missing, which comes with Prometheus: tests of the alerts will be skipped" >&2
        exit 0
    fi
    echo "fetching: promtool"
    $root apt-get update -qq
    # Only taken out of its package: in older releases that is the server's, which it would start.
    package=promtool
    apt-cache show "$package" >/dev/null 2>&1 || package=prometheus
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root "$package")
    dpkg-deb -x "$folder"/*.deb "$folder"
    mkdir -p "$(dirname "$tool")"
    mv "$folder/usr/bin/promtool" "$tool"
    exit 0
fi
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    case "${1:-}" in
    pods | instructions)
        echo "missing:$missing: tests of $1 will be skipped" >&2
        exit 0
        ;;
    esac
    echo "please install:$missing" >&2
    exit 1
fi
echo "installing:$missing"
# Of podman's services the tests want nothing either, nor the measurements of the peers': none is started.
policy=/usr/sbin/policy-rc.d
if { [ "${1:-}" = pods ] || [ "${1:-}" = bench ]; } && [ ! -e "$policy" ]; then
    trap '$root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod +x "$policy"
fi
# shellcheck disable=SC2086
$root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing >/dev/null
