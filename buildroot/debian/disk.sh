#!/usr/bin/env bash
# disk.sh SLOT OUT: the disk image with SLOT in slot A. Expects to run in the project's folder.
set -euo pipefail
slot=$1 out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{in,out,empty}
ln -s "$(realpath "$slot")" "$work/in/slot.ext4"
mkimage -A arm64 -T script -C none -d buildroot/ota/boot.cmd "$work/in/boot.scr" >/dev/null
# An emulated machine on a busy one is slow.
printf "board_args=console=ttyAMA0 systemd.default_device_timeout_sec=90\n" >"$work/in/board.env"
find "$work/in" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

rm -f "$work/in/boot.vfat"
truncate -s 64M "$work/in/boot.vfat"
mkfs.vfat -n BOOT -i 48354544 --invariant "$work/in/boot.vfat" >/dev/null
mcopy -m -i "$work/in/boot.vfat" "$work/in/boot.scr" "$work/in/board.env" ::
# Slot B is empty: nothing to count on.
printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\n' | mkenvimage -s 0x4000 -o "$work/env" -
truncate -s 8M "$work/in/bootstate.img"
for at in 0 $((0x10000)); do
    dd if="$work/env" of="$work/in/bootstate.img" bs=4096 seek=$((at / 4096)) conv=notrunc status=none
done
truncate -s 64M "$work/in/data.ext4"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -b 4096 -m 1 -L data -U 48354544-2000-4000-8000-000000000000 \
    -E hash_seed=48354544-2001-4000-8000-000000000000,root_owner=0:0,resize=268435456 -O ^metadata_csum_seed,^orphan_file "$work/in/data.ext4"

genimage --loglevel 1 --config buildroot/debian/genimage.cfg --inputpath "$work/in" --outputpath "$work/out" \
    --rootpath "$work/empty" --tmppath "$work/tmp"
cp --sparse=always "$work/out/disk.img" "$out"
