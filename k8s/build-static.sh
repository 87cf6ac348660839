#!/bin/sh
# Builds target/image/kawal: a release in one static file, which needs nothing else in its image; with the
# name of another package of the workspace that one, alike.
set -eu
cd "$(dirname "$0")/.."
package=${1:-kawal}

# Relocations in their short form: 0.4 MB less.
flags="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
# Naming the target keeps the flags away from build scripts and procedural macros, which cannot be static.
target=$(rustc -vV | sed -n 's/^host: //p')
# AES-GCM, for which Kawal has no use but TLS to its store, does without AVX-512: 0.7 MB less.
AWS_LC_SYS_CFLAGS="-DMY_ASSEMBLER_IS_TOO_OLD_FOR_512AVX" RUSTFLAGS="$flags" \
    ${CARGO:-cargo} build --locked --release --target "$target" --package "$package"
mkdir -p target/image
cp "target/$target/release/$package" "target/image/$package.new"
# Where the C library is too old for what was asked of the linker, it does not start.
"target/image/$package.new" --version
mv "target/image/$package.new" "target/image/$package"
