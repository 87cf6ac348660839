#!/bin/sh
# Installs what the manifests in k8s/ are judged with: kubectl into target/tools, unless the machine
# has one that knows kustomize's components; kubernetes-validate and checkov, at the versions that
# tests/manifests pins, into target/manifests. What is there already stays.
set -eu
cd "$(dirname "$0")/../.."

pins=tests/manifests/requirements.txt
venv=target/manifests/venv
tool=target/tools/kubectl

# Since 1.21; Debian 12 has an older one.
knows_components() {
    minor=$("$1" version --client --output json 2>/dev/null | sed -n 's/.*"minor": "\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 21 ]
}

# Takes it out of the package of a newer Debian, which is fetched from where this one gets its
# packages. Nothing is installed, and the machine's own lists stay as they are.
fetch_kubectl() {
    root=""
    [ "$(id -u)" = 0 ] || root="sudo"
    mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1; }
    [ -n "$(mirror)" ] || $root apt-get update -qq
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$folder/sources.list"
    apart="-o Dir::Etc::SourceList=$folder/sources.list -o Dir::Etc::SourceParts=/dev/null"
    apart="$apart -o Dir::State::Lists=$folder/lists -o Dir::State::Status=/dev/null"
    apart="$apart -o Dir::Cache=$folder/cache -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086
    (cd "$folder" && apt-get $apart -qq update && apt-get $apart -qq download kubectl)
    dpkg-deb -x "$folder"/kubectl_*.deb "$folder/package"
    mkdir -p "$(dirname "$tool")"
    mv "$folder/package/usr/bin/kubectl" "$tool"
}

if ! knows_components kubectl && ! knows_components "$tool"; then
    if grep -qs '^ID=debian' /etc/os-release; then
        echo "fetching: kubectl"
        fetch_kubectl
    else
        echo "kubectl 1.21 or later is missing: tests of the manifests will be skipped" >&2
    fi
fi

# The installation ends with a copy of what it was made from. The tests look at it too.
# A newer Python does not find what an older one installed: hence the import.
sh tests/tools/install-missing.sh manifests
if ! cmp -s "$pins" "$venv/installed" || ! "$venv/bin/python" -c "import yaml" 2>/dev/null; then
    echo "installing what judges the manifests"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps \
        --only-binary :all: -r "$pins"
    cp "$pins" "$venv/installed"
fi
