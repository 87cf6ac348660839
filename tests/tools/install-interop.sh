#!/bin/sh
# Installs the gateways' own libraries for Node and Python, at the versions that tests/interop pins,
# into target/interop: the tests sign and verify with them. What is there already stays.
set -eu
cd "$(dirname "$0")/../.."

pins=tests/interop
place=target/interop
sh tests/tools/install-missing.sh interop
mkdir -p "$place"

# Each installation ends with a copy of what it was made from. The tests look at it too.
if ! cmp -s "$pins/package-lock.json" "$place/node_modules/installed"; then
    echo "installing the libraries for Node"
    cp "$pins/package.json" "$pins/package-lock.json" "$place"
    npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null
    cp "$pins/package-lock.json" "$place/node_modules/installed"
fi

# A newer Python does not find what an older one installed: hence the import.
python="$place/venv/bin/python"
if ! cmp -s "$pins/requirements.txt" "$place/venv/installed" ||
    ! "$python" -c "import cryptography" 2>/dev/null; then
    echo "installing the libraries for Python"
    rm -rf "$place/venv"
    python3 -m venv "$place/venv"
    install="$python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps"
    $install --only-binary :all: -r "$pins/build-requirements.txt"
    # The pinned build tool instead of the newest one, which pip would fetch for itself.
    $install --use-pep517 --no-build-isolation -r "$pins/requirements.txt"
    cp "$pins/requirements.txt" "$place/venv/installed"
fi
