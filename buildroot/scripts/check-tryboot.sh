#!/usr/bin/env bash
# Runs the Raspberry Pi 5's RAUC backend through an update that works, one that fails, and a factory reset: in a mount
# namespace of its own, with folders for partitions and stand-ins for mount, fw_printenv, fw_setenv and systemctl. Needs root; says so without.
set -euo pipefail
tree=$(cd "$(dirname "$0")/.." && pwd)
if [ "$(id -u)" != 0 ]; then
	echo "not run: needs root" && exit 0
fi
if [ "${1:-}" != inside ]; then
	exec unshare --mount --propagation private bash "$0" inside
fi

tryboot=$tree/board/rpi5/rootfs-overlay/usr/libexec/h5edge/tryboot
work=$(mktemp -d)
cleanup() {
	umount /proc/cmdline 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
fail() { echo "$*" >&2 && exit 1; }

# The disk: folders in place of the boot partition, as post-image.sh fills it, and of two slots with kernels of their own.
mkdir -p "$work"/{bin,env,disk/{1/A,2/boot,3/boot}}
for slot in 2 3; do
	echo "kernel $slot" >"$work/disk/$slot/boot/Image.gz"
	echo "tree $slot" >"$work/disk/$slot/boot/bcm2712-rpi-5-b.dtb"
	cp "$tree/board/rpi5/rootfs-overlay/boot/cmdline.txt" "$work/disk/$slot/boot/"
done
cp "$tree/board/rpi5/rootfs-overlay/boot/cmdline.txt" "$work/disk/1/A/slot-cmdline.txt"
cp "$tree/board/rpi5/config.txt" "$work/disk/1/"
mount -t tmpfs none /run
mkdir /run/systemd

real_mount=$(command -v mount)
cat >"$work/bin/mount" <<EOF
#!/bin/sh
case \$5 in
/dev/disk/by-partuuid/48354544-000[123]-4000-8000-00000000000[123])
	number=\${5#/dev/disk/by-partuuid/48354544-000} && exec $real_mount --bind "$work/disk/\${number%%-*}" "\$6" ;;
esac
exit 1
EOF
cat >"$work/bin/fw_printenv" <<EOF
#!/bin/sh
[ "\$1" = -n ] && cat "$work/env/\$2" 2>/dev/null
EOF
cat >"$work/bin/fw_setenv" <<EOF
#!/bin/sh
if [ -n "\${2:-}" ]; then echo "\$2" >"$work/env/\$1"; else rm -f "$work/env/\$1"; fi
EOF
cat >"$work/bin/systemctl" <<EOF
#!/bin/sh
case \$1 in list-jobs) cat "$work/jobs" ;; *) echo "\$*" >>"$work/systemctl.log" ;; esac
EOF
chmod 755 "$work"/bin/*
export PATH=$work/bin:$PATH
echo 3 >"$work/env/BOOT_A_LEFT"
echo 3 >"$work/env/BOOT_B_LEFT"
echo 0123456789abcdef0123456789abcdef >"$work/env/machine_id"

# start SLOT [more]: the box starts from SLOT. restart: it goes down for a restart; prints the slot the firmware takes next.
start() {
	umount /proc/cmdline 2>/dev/null || true
	echo "root=/dev/x rauc.slot=$1 ${2:-}" >"$work/cmdline"
	$real_mount --bind "$work/cmdline" /proc/cmdline
	rm -f /run/systemd/reboot-param
	sh "$tryboot" started
}
restart() {
	echo "1 reboot.target start waiting" >"$work/jobs"
	sh "$tryboot" stopping
	local file=config.txt
	[ ! -e /run/systemd/reboot-param ] || file=tryboot.txt
	sed -n 's/^os_prefix=\(.\).*/\1/p' "$work/disk/1/$file"
}
is() { [ "$1" = "$2" ] || fail "$3: '$1', not '$2'"; }
boot_file() { cat "$work/disk/1/$1"; }

start A
is "$(sh "$tryboot" get-primary)" A "fresh box"
is "$(cat "$work/env/BOOT_A_LEFT")" 2 "a start is counted"
sh "$tryboot" set-state A good
is "$(cat "$work/env/BOOT_A_LEFT")" 3 "a good start resets the count"
is "$(boot_file A/cmdline.txt)" "root=PARTUUID=48354544-0002-4000-8000-000000000002 rauc.slot=A \
console=ttyAMA10,115200 rootwait ro panic=5 quiet systemd.machine_id=0123456789abcdef0123456789abcdef" "command line"

# An update that fails: the firmware falls back, and the slot is bad.
sh "$tryboot" set-state B bad
is "$(sh "$tryboot" get-state B)" bad "while it is written"
sh "$tryboot" set-primary B
is "$(sh "$tryboot" get-primary)" B "after the update"
is "$(boot_file B/Image.gz)" "kernel 3" "kernel beside the firmware"
is "$(restart)" B "restart after the update"
start A
is "$(sh "$tryboot" get-state B)" bad "after a failed trial"
is "$(sh "$tryboot" get-primary)" A "after a failed trial"
is "$(restart)" A "second restart"

# A power cut before the restart: no trial, nothing bad.
start A
sh "$tryboot" set-primary B
start A
is "$(sh "$tryboot" get-state B)" good "after a power cut before the trial"
is "$(sh "$tryboot" get-primary)" A "after a power cut before the trial"

# An update that works is committed by mark-good.
sh "$tryboot" set-primary B
is "$(restart)" B "trial"
start B
is "$(sh "$tryboot" get-primary)" A "before mark-good"
sh "$tryboot" set-state B good
is "$(sh "$tryboot" get-primary)" B "after mark-good"
is "$(restart)" B "restart after mark-good"

# Factory reset: once, on the next start.
start B
echo 1 >"$work/env/wipe"
is "$(restart)" B "restart for the reset"
boot_file B/cmdline.txt | grep -q ' h5edge\.wipe=1$' || fail "no h5edge.wipe=1"
[ ! -e "$work/env/wipe" ] || fail "wipe is not cleared"
start B h5edge.wipe=1
! boot_file B/cmdline.txt | grep -q wipe || fail "h5edge.wipe=1 stays"
# Asked for, but the power was cut: it happens at once.
echo 1 >"$work/env/wipe"
start B
is "$(cat "$work/systemctl.log")" "reboot --no-block" "reset after a power cut"

! sh "$tryboot" set-primary C 2>/dev/null || fail "slot C is accepted"
