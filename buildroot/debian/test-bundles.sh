#!/usr/bin/env bash
# test-bundles.sh: from what image.sh left in target/appliance/debian, the bundles in its folder test, for hw-tests:
#   good.raucb           the same system with another version (+next)
#   tampered.raucb       good with one byte changed in what is installed
#   wrong-board.raucb    good, for another board
#   wrong-key.raucb      good, signed by a key that no box knows
#   no-kernel.raucb      a slot that U-Boot cannot start
#   broken-daemon.raucb  a system whose h5edge ends with an error at once
set -euo pipefail
cd "$(dirname "$0")/../.."
here=buildroot/debian
out=$PWD/target/appliance/debian
test=$out/test
. buildroot/ota/keys.sh
. "$here/version.sh"
h5edge_keys
rm -rf "$test"
mkdir -p "$test/work"
trap 'rm -rf "$test/work"' EXIT
export LEVEL=6

# slot SQUASHFS KERNEL: a slot's file system.
slot() { "$here/slot.sh" "$1" "$2" "$out/kernel/initrd.img" "$test/work/slot"; }
bundle() { buildroot/ota/bundle.sh "$1" "$RELEASE_NAME+$2" "$test/work/slot" "$test/$2.raucb"; }

# The version a system says of itself is in os-release.
root=$test/work/root
cp -a "$out/root" "$root"
sed -i "s/^VERSION_ID=.*/VERSION_ID=$VERSION+next/" "$root/usr/lib/os-release"
"$here/squash.sh" "$root" "$test/work/next.squashfs"
slot "$test/work/next.squashfs" "$out/kernel/Image"
buildroot/ota/bundle.sh debian "$RELEASE_NAME+next" "$test/work/slot" "$test/good.raucb"
buildroot/ota/bundle.sh rpi4 "$RELEASE_NAME+next" "$test/work/slot" "$test/wrong-board.raucb"

cp "$test/good.raucb" "$test/tampered.raucb"
middle=$(($(stat -c %s "$test/good.raucb") / 2))
byte=$(od -An -tu1 -j "$middle" -N 1 "$test/good.raucb")
# shellcheck disable=SC2059
printf "\\x$(printf '%x' $((byte ^ 255)))" | dd of="$test/tampered.raucb" bs=1 seek="$middle" conv=notrunc status=none

openssl req -x509 -newkey rsa:3072 -nodes -days 2 -subj /O=stranger/CN=stranger \
    -keyout "$test/work/key.pem" -out "$test/work/cert.pem" 2>/dev/null
RAUC_KEY=$test/work/key.pem RAUC_CERT=$test/work/cert.pem RAUC_KEYRING=$test/work/cert.pem bundle debian wrong-key

slot "$test/work/next.squashfs" -
bundle debian no-kernel

install -m 755 "$out/root/usr/bin/false" "$root/usr/bin/h5edge"
"$here/squash.sh" "$root" "$test/work/broken.squashfs"
slot "$test/work/broken.squashfs" "$out/kernel/Image"
bundle debian broken-daemon
ls -l "$test"/*.raucb
