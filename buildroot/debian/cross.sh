#!/usr/bin/env bash
# cross.sh: h5edge for 64-bit ARM at target/appliance/h5edge, stripped, built with Debian's compilers against
# target/appliance/sysroot. Further arguments go to cargo.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=aarch64-unknown-linux-gnu
out=$PWD/target/appliance
sysroot=$out/sysroot

# A rustup on PATH has no library for arm64 that fits, so the compiler is named; its flags are of the target only.
export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
export CARGO_TARGET_DIR=$out/cargo
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="--sysroot=$sysroot/usr -C link-arg=--sysroot=$sysroot \
-C link-arg=-fuse-ld=lld -C link-arg=-B/usr/lib/llvm-16/bin -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-z,pack-relative-relocs \
--remap-path-prefix=$PWD=/h5edge --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++
export AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
export CFLAGS_aarch64_unknown_linux_gnu="--sysroot=$sysroot -ffile-prefix-map=$PWD=/h5edge \
-ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo"
export PKG_CONFIG_ALLOW_CROSS=1
export PKG_CONFIG_SYSROOT_DIR=$sysroot
export PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig
H5EDGE_BUILD=${H5EDGE_BUILD:-$(git rev-parse --short HEAD)}
export H5EDGE_BUILD

/usr/bin/cargo build --release --locked --target "$target" --bin h5edge --no-default-features \
    --features bundled-sqlite "$@"
aarch64-linux-gnu-strip -o "$out/h5edge" "$CARGO_TARGET_DIR/$target/release/h5edge"

echo "target/appliance/h5edge: $(stat -c %s "$out/h5edge") bytes, of build $H5EDGE_BUILD"
