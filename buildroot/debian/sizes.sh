#!/usr/bin/env bash
# sizes.sh DIR: the sizes of what was built in DIR as a table; fails if an image or bundle is larger than it may be.
set -euo pipefail
dir=$1
over=0
# What CI builds quickly, without optimising the whole, is larger.
program=15
[ -z "${CARGO_PROFILE_RELEASE_LTO:-}" ] || program=40

# row FILE BYTES LIMIT-IN-MB
row() {
    local mark=
    if awk -v b="$2" -v limit="$3" 'BEGIN { exit b <= limit * 1e6 }'; then mark="  TOO LARGE" over=1; fi
    printf '%-22s %7s MB  (at most %s)%s\n' "$1" "$(awk -v b="$2" 'BEGIN { printf "%.1f", b / 1e6 }')" "$3" "$mark"
}
row h5edge "$(stat -c %s "$dir/../h5edge")" "$program"
# A slot's size is what an update writes.
row root.squashfs "$(stat -c %s "$dir/root.squashfs")" 200
row slot.ext4 "$(stat -c %s "$dir/slot.ext4")" 384
# Of the disk, what is written to the card; the rest is holes.
row disk.img "$(($(stat -c '%b * %B' "$dir/disk.img")))" 250
row h5edge-debian.raucb "$(stat -c %s "$dir/h5edge-debian.raucb")" 120
exit $over
