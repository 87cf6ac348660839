#!/bin/sh
# Builds the app that stands behind Kawal in the pods of the tests, as a file that needs no other:
# target/image/app.
set -eu
cd "$(dirname "$0")/../.."

# With the target named, what runs while building is linked as ever.
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked --release \
    --manifest-path tests/pod/app/Cargo.toml --target-dir target/pod-app --target "$target"
mkdir -p target/image
cp "target/pod-app/$target/release/pod-app" target/image/app.new
mv target/image/app.new target/image/app
