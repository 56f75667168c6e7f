#!/usr/bin/env bash
# check-image.sh BOARD: runs post-build.sh and post-image.sh on a stand-in for what Buildroot builds and looks at what
# comes out: os-release, RAUC's configuration, partition table, boot partition, environment, data partition, bundle.
set -euo pipefail
board=$1
tree=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TARGET_DIR=$work/target SOURCE_DATE_EPOCH=1000000000
images=$work/images

fail() { echo "$*" >&2 && exit 1; }
# shellcheck source=/dev/null
. "$tree/board/$board/meta"

# A certificate of our own, so that no key is left behind in the project.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/O=h5edge/CN=DEVELOPMENT" \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
export RAUC_KEY=$work/key.pem RAUC_CERT=$work/cert.pem RAUC_KEYRING=$work/cert.pem

mkdir -p "$TARGET_DIR"/{boot,etc/systemd/system,usr/lib/systemd/system,usr/bin} "$images/rpi-firmware"
cp -r "$tree/../rootfs-overlay/." "$TARGET_DIR/"
[ ! -d "$tree/board/$board/rootfs-overlay" ] || cp -r "$tree/board/$board/rootfs-overlay/." "$TARGET_DIR/"
touch "$TARGET_DIR/usr/lib/systemd/system/dropbear.service"
for file in Image Image.gz stub.dtb; do head -c 100000 /dev/urandom >"$TARGET_DIR/boot/$file"; done
for file in $BOOT_FILES u-boot-rockchip.bin flash.bin; do head -c 200000 /dev/urandom >"$images/$file"; done
[ ! -e "$tree/board/$board/config.txt" ] || cp "$tree/board/$board/config.txt" "$images/rpi-firmware/config.txt"

bash "$tree/scripts/post-build.sh" "$TARGET_DIR" "$board"
mksquashfs "$TARGET_DIR" "$images/rootfs.squashfs" -comp zstd -quiet -no-progress >/dev/null
bash "$tree/scripts/post-image.sh" "$images" "$board" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }

for line in NAME=h5edge ID=h5edge VARIANT_ID=dev "H5EDGE_BOARD=$board"; do
	grep -qxF "$line" "$TARGET_DIR/usr/lib/os-release" || fail "os-release has no $line"
done
[ ! -e "$TARGET_DIR/usr/lib/systemd/system/dropbear.service" ] || fail "Buildroot's dropbear.service is still there"
conf=$TARGET_DIR/etc/rauc/system.conf
grep -qx "compatible=$COMPATIBLE" "$conf" || fail "system.conf is not for $COMPATIBLE"
grep -qx "bootloader=$BOOTLOADER" "$conf" || fail "system.conf: wrong boot loader"
! grep -n '@' "$conf" || fail "system.conf: something was not filled in"
if [ "$BOOTLOADER" = custom ]; then
	backend=$(sed -n 's/^bootloader-custom-backend=//p' "$conf")
	[ -x "$TARGET_DIR$backend" ] || fail "system.conf: $backend is no program"
fi

# The keyring's path is that of the box.
sed "s|^path=/etc|path=$TARGET_DIR/etc|" "$conf" >"$work/system.conf"
rauc --conf="$work/system.conf" info "$images/h5edge-$board.raucb" >"$work/info" 2>&1 || { cat "$work/info" && exit 1; }
grep -qx "Compatible:[[:space:]]*'$COMPATIBLE'" "$work/info" || fail "the bundle is not for $COMPATIBLE"
grep -qix 'Bundle Format:[[:space:]]*verity.*' "$work/info" || fail "the bundle is not of format verity"
cp "$images/h5edge-$board.raucb" "$work/tampered.raucb"
printf 'x' | dd of="$work/tampered.raucb" bs=1 seek=$(($(stat -c %s "$work/tampered.raucb") - 200)) conv=notrunc status=none
! rauc --conf="$work/system.conf" info "$work/tampered.raucb" >/dev/null 2>&1 || fail "a tampered bundle is accepted"

disk=$images/disk.img
sgdisk -v "$disk" >"$work/sgdisk"
grep -q 'No problems found' "$work/sgdisk" || { cat "$work/sgdisk" && fail "the partition table is not sound"; }
number=0
while read -r name sectors; do
	number=$((number + 1))
	sgdisk -i $number "$disk" >"$work/part"
	grep -q "^Partition unique GUID: 48354544-000$number-4000-8000-00000000000$number$" "$work/part" ||
		fail "partition $number: wrong PARTUUID"
	grep -q "^Partition name: '$name'$" "$work/part" || fail "partition $number is not $name"
	grep -q "^Partition size: $sectors sectors" "$work/part" || fail "partition $number ($name): not $sectors sectors"
done <<EOF
boot 131072
rootfs-a 786432
rootfs-b 786432
bootstate 16384
data 131072
EOF
[ "$(sgdisk -p "$disk" | grep -cE '^ +[0-9]')" = 5 ] || fail "not five partitions"

start() { sgdisk -i "$1" "$disk" | sed -n 's/^First sector: \([0-9]*\).*/\1/p'; }
listing=$(mdir -b -/ -i "$disk@@$(($(start 1) * 512))" ::)
case $BOOTLOADER in
uboot) expected="boot.scr board.env" ;;
custom) expected="config.txt tryboot.txt A/Image.gz A/stub.dtb A/cmdline.txt A/slot-cmdline.txt" ;;
esac
for file in $expected $BOOT_FILES; do
	case $file in rpi-firmware/*) file=${file##*/} ;; esac
	grep -qix "::/$file" <<<"$listing" || { echo "$listing" && fail "the boot partition has no $file"; }
done
cmp -n "$(stat -c %s "$images/rootfs.squashfs")" "$images/rootfs.squashfs" <(tail -c "+$(($(start 2) * 512 + 1))" "$disk") ||
	fail "slot A is not the root file system"

python3 - "$disk" "$(start 4)" <<'EOF'
import sys, zlib
disk, start = sys.argv[1], int(sys.argv[2]) * 512
with open(disk, "rb") as f:
    for copy, offset in enumerate((0, 0x10000), 1):
        f.seek(start + offset)
        block = f.read(0x4000)
        crc = int.from_bytes(block[:4], "little")
        if crc != zlib.crc32(block[4:]):
            sys.exit(f"copy {copy} of the environment: wrong checksum")
        names = {v.split(b"=")[0] for v in block[4:].split(b"\0") if v}
        if names != {b"BOOT_ORDER", b"BOOT_A_LEFT", b"BOOT_B_LEFT"}:
            sys.exit(f"copy {copy} of the environment: {names}")
EOF
dd if="$disk" of="$work/data" bs=512 skip="$(start 5)" count=131072 status=none
e2fsck -fn "$work/data" >/dev/null 2>&1 || fail "the data partition's file system is not sound"
# It grows while mounted, which needs room for 1 TiB in 4 KiB blocks set aside when it is made.
dumpe2fs -h "$work/data" >"$work/ext4" 2>/dev/null
grep -qE '^Filesystem volume name: +data$' "$work/ext4" || fail "the data partition has no label"
grep -qE '^Block size: +4096$' "$work/ext4" || fail "the data partition has no blocks of 4 KiB"
[ "$(sed -n 's/^Reserved GDT blocks: *//p' "$work/ext4")" -ge 120 ] || fail "the data partition cannot grow to 1 TiB"
