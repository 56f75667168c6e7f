#!/usr/bin/env bash
# bundle.sh BOARD VERSION IMAGE OUT: the signed RAUC bundle OUT that writes IMAGE into a slot of a BOARD. Expects RAUC_KEY,
# RAUC_CERT and RAUC_KEYRING (keys.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
board=$1 version=$2 image=$3 out=$4
for word in "$board" "$version"; do
    case $word in
    *[!a-zA-Z0-9.+~-]* | "")
        echo "'$word': a board or version has letters, digits and .+~- only" >&2
        exit 1
        ;;
    esac
done
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp --sparse=always "$image" "$tree/rootfs.img"
sed -e "s/@BOARD@/$board/" -e "s/@VERSION@/$version/" "$here/manifest.raucm.in" >"$tree/manifest.raucm"
rm -f "$out"
rauc bundle --cert="$RAUC_CERT" --key="$RAUC_KEY" --keyring="$RAUC_KEYRING" \
    --mksquashfs-args="-comp zstd -Xcompression-level ${LEVEL:-15} -b 256K -no-progress -quiet" "$tree" "$out"
