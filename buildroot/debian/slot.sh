#!/usr/bin/env bash
# slot.sh SQUASHFS KERNEL INITRAMFS OUT: what a slot holds, as an ext4 file system just large enough. KERNEL may be - for none.
set -euo pipefail
squashfs=$1 kernel=$2 initramfs=$3 out=$4
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/boot"
ln "$squashfs" "$tree/root.squashfs" 2>/dev/null || cp "$squashfs" "$tree/root.squashfs"
cp "$initramfs" "$tree/boot/initrd.img"
[ "$kernel" = - ] || cp "$kernel" "$tree/boot/Image"
chmod -R u=rwX,go=rX "$tree"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
# 4 MiB and a hundredth for the file system's own.
bytes=$(du -sb "$tree" | cut -f1)
rm -f "$out"
truncate -s $(((bytes * 101 / 100 + (4 << 20) + 4095) / 4096 * 4096)) "$out"
# Debian's U-Boot does not know the last two features. No journal: it is never written.
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -b 4096 -m 0 -N 64 -L h5edge -d "$tree" \
    -U 48354544-1000-4000-8000-000000000000 -E hash_seed=48354544-1001-4000-8000-000000000000,root_owner=0:0 \
    -O ^has_journal,^resize_inode,^metadata_csum_seed,^orphan_file "$out"
# The times that files cannot be given on the build machine.
find "$tree" -printf '/%P\n' | LC_ALL=C sort | sed 's,^/$,/.,' | while read -r path; do
    for time in atime ctime crtime; do
        printf 'set_inode_field %s %s @%s\nset_inode_field %s %s_extra 0\n' "$path" "$time" "$SOURCE_DATE_EPOCH" "$path" "$time"
    done
done | E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f - "$out" >/dev/null 2>&1
if [ "$(stat -c %s "$out")" -gt $((384 << 20)) ]; then
    echo "$out is larger than a slot, which has 384 MiB" >&2
    exit 1
fi
