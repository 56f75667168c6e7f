#!/usr/bin/env bash
# image.sh: from the cross-built program, the overlay and Debian's packages to target/appliance/debian: disk.img (to be written
# to a disk), h5edge-debian.raucb (the signed update), sbom.cdx.json, sbom-crates.cdx.json, licences.txt. Nothing of it needs
# root. base/ and kernel/ are kept until what describes them changes, or for a day, since Debian's packages get repaired.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=buildroot/debian
out=$PWD/target/appliance/debian
. buildroot/ota/keys.sh
. "$here/version.sh"
h5edge_keys
mkdir -p "$out"

# kept NAME SCRIPT FILE...: runs SCRIPT for the folder NAME unless it was made by the same FILEs within a day.
kept() {
    local name=$1 script=$2 sum
    shift 2
    sum=$(cat "$here/$script" "$@" | sha256sum)
    if [ "$(cat "$out/$name.stamp" 2>/dev/null)" != "$sum" ] || [ -n "$(find "$out/$name.stamp" -mmin +1440)" ]; then
        rm -f "$out/$name.stamp"
        "$here/$script" "$out/$name"
        echo "$sum" >"$out/$name.stamp"
    fi
}
step() { printf '%4d s  %s\n' "$SECONDS" "$1"; }

step "packages"
kept base base.sh "$here"/{apt.sh,packages.txt,plugins.txt,prune.txt,prune.py}
step "kernel"
kept modules modules.sh "$here/apt.sh"
kept kernel kernel.sh "$here"/{apt.sh,modules.txt,modules.sh,init,initramfs.sh}
step "root"
"$here/root.sh" "$out/root"
"$here/squash.sh" "$out/root" "$out/root.squashfs"
step "slot"
"$here/slot.sh" "$out/root.squashfs" "$out/kernel/Image" "$out/kernel/initrd.img" "$out/slot.ext4"
step "disk"
"$here/disk.sh" "$out/slot.ext4" "$out/disk.img"
step "bundle"
buildroot/ota/bundle.sh debian "$RELEASE_NAME" "$out/slot.ext4" "$out/h5edge-debian.raucb"
step "lists"
"$here/sbom.sh" "$out"
step "done"
"$here/sizes.sh" "$out"
