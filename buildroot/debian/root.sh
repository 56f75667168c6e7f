#!/usr/bin/env bash
# root.sh OUT: the root file system of the Debian image in the folder OUT: base (base.sh), kernel modules (kernel.sh), the
# overlay, the program and what is generated. Expects to run in the project's folder, with VARIANT and RAUC_KEYRING set.
set -euo pipefail
out=$1
appliance=target/appliance
rm -rf "$out"
cp -a "$appliance/debian/base/root" "$out"
cp -a "$appliance/debian/kernel/tree/." "$out/"
cp -a rootfs-overlay/. "$out/"
install -D -m 755 "$appliance/h5edge" "$out/usr/bin/h5edge"

# Debian's link is to a file of its own.
rm -f "$out/usr/lib/os-release"
cat >"$out/usr/lib/os-release" <<END
NAME=h5edge
ID=h5edge
PRETTY_NAME="h5edge $VERSION"
VERSION_ID=$VERSION
BUILD_ID=$H5EDGE_BUILD
VARIANT_ID=$VARIANT
H5EDGE_BOARD=debian
END
mkdir -p "$out/etc/rauc"
sed -e 's/@BOARD@/debian/' -e 's/@BOOTLOADER@/uboot/' buildroot/ota/system.conf.in >"$out/etc/rauc/system.conf"
cp "$RAUC_KEYRING" "$out/etc/rauc/keyring.pem"

# Nobody but root is root on a box.
find "$out" -perm /6000 -type f -exec chmod a-s {} +

# systemd's own tools make the users and switch the units on; they are the image's, since this machine's do not know all that
# its files say. Without a /proc of its own the emulator shows them this machine's, which they want.
rmdir "$out"/{proc,sys}
guest() {
    local log
    if ! log=$(qemu-aarch64-static -L "$out" "$out$1" --root="$(realpath "$out")" "${@:2}" 2>&1); then
        echo "$1: $log" >&2
        return 1
    fi
}
guest /usr/bin/systemd-sysusers
guest /usr/bin/systemctl preset-all
readelf --dynamic --wide "$out/usr/bin/h5edge" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
    if [ ! -e "$out/usr/lib/aarch64-linux-gnu/$library" ]; then
        echo "h5edge needs $library, which the image lacks: see LOADED in buildroot/debian/prune.py" >&2
        exit 1
    fi
done
mkdir -p "$out"/{boot,data,dev,home,mnt,proc,root,run,sys,tmp,var}
chmod 700 "$out/root"
chmod 1777 "$out/tmp"
rm -rf "$out"/etc/{passwd,group,shadow,gshadow}- "$out/etc/.pwd.lock"
