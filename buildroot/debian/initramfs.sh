#!/usr/bin/env bash
# initramfs.sh OUT BUSYBOX MODULE...: the initramfs with init, which loads the MODULEs (files) in that order; made without
# running anything of arm64.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1 busybox=$2
shift 2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,dev,proc,sys,slot,root,modules}
install -m 755 "$busybox" "$tree/bin/busybox"
install -m 755 "$here/init" "$tree/init"
for file in "$@"; do
    name=$(basename "$file" .xz)
    case $file in
    *.xz) xz -dc "$file" >"$tree/modules/$name" ;;
    *) cp "$file" "$tree/modules/$name" ;;
    esac
    echo "$name"
done >"$tree/modules/list"

find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --create --format newc --owner 0:0 --reproducible) | zstd -q -19 >"$out"
