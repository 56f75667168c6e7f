#!/usr/bin/env bash
# post-image.sh BINARIES_DIR BOARD: makes disk.img, to be written to a card, and the update h5edge-BOARD.raucb from what
# Buildroot built. Run by Buildroot with TARGET_DIR in the environment and the host tools in PATH.
set -euo pipefail
images=$1 board=$2
tree=$(cd "$(dirname "$0")/.." && pwd)
cd "$tree/.."
# shellcheck source=/dev/null
. "$tree/board/$board/meta"
# shellcheck source=/dev/null
. "$tree/ota/keys.sh"
h5edge_keys
# shellcheck source=/dev/null
. "$TARGET_DIR/usr/lib/os-release"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
boot=$work/root/boot-partition
mkdir -p "$boot"
for file in $BOOT_FILES; do
	cp "$images/$file" "$boot/"
done
case $BOOTLOADER in
uboot)
	cp "$tree/board/$board/board.env" "$boot/"
	mkimage -A arm64 -T script -C none -n h5edge -d "$tree/ota/boot.cmd" "$boot/boot.scr" >/dev/null
	;;
custom)
	# As usr/libexec/h5edge/tryboot does it on the box; slot B is empty until the first update.
	mkdir "$boot/A"
	cp "$TARGET_DIR/boot/Image.gz" "$TARGET_DIR"/boot/*.dtb "$boot/A/"
	cp "$TARGET_DIR/boot/cmdline.txt" "$boot/A/slot-cmdline.txt"
	echo "root=PARTUUID=48354544-0002-4000-8000-000000000002 rauc.slot=A $(cat "$boot/A/slot-cmdline.txt")" \
		>"$boot/A/cmdline.txt"
	sed 's/^os_prefix=.*/os_prefix=B\//' "$boot/config.txt" >"$boot/tryboot.txt"
	;;
esac
find "$boot" -exec touch -d "@${SOURCE_DATE_EPOCH:-0}" {} +

# Two copies of the environment, 0x4000 bytes each, at 0 and at 0x10000.
printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\n' | mkenvimage -s 0x4000 -p 0x00 -o "$work/env" -
cp "$work/env" "$images/bootstate.img"
dd if="$work/env" of="$images/bootstate.img" bs=4096 seek=16 conv=notrunc status=none

mkdir "$work/tmp"
genimage --loglevel 1 --config genimage.cfg --includepath "$tree/board/$board:$tree/board/common" \
	--rootpath "$work/root" --tmppath "$work/tmp" --inputpath "$images" --outputpath "$images"
bash "$tree/ota/bundle.sh" "$board" "$VERSION_ID" "$images/rootfs.squashfs" "$images/h5edge-$board.raucb"
