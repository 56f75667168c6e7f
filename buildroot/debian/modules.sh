#!/usr/bin/env bash
# modules.sh DIR: the kernel's virtual decoder visl, which Debian's kernel 6.12 leaves out, as DIR/RELEASE/visl.ko. In QEMU it
# stands in for a decoder in hardware. Nothing is installed here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
dir=$1
rm -rf "$dir"
work=$dir/work
mkdir -p "$work"/{debs,root}

apt_root "$dir/apt" arm64 bookworm bookworm-security
headers=$(apt-cache "${apt_of[@]}" depends linux-headers-6.12-arm64 | awk '$1 == "Depends:" { print $2; exit }')
release=${headers#linux-headers-}
version=${release%-arm64}
(cd "$work/debs" && apt-get "${apt_of[@]}" download "$headers" "linux-headers-$version-common" linux-source-6.12)
# These are programs for this machine.
apt_root "$dir/apt-here" "$(dpkg --print-architecture)" bookworm bookworm-security
(cd "$work/debs" && apt-get "${apt_of[@]}" download "linux-kbuild-$version")
unpack "$work/root" "$work"/debs/*.deb

# What names its place under / means the folder.
sources=$work/root/usr/src
sed -i "s,/usr/src/,$(realpath "$sources")/," "$sources/$headers/Makefile"
tar -xJf "$sources/linux-source-6.12.tar.xz" -C "$work" --strip-components=1 linux-source-6.12/drivers/media/test-drivers/visl
visl=$work/drivers/media/test-drivers/visl
sed -i -e 's/obj-$(CONFIG_VIDEO_VISL)/obj-m/' -e 's/ifeq ($(CONFIG_VISL_DEBUGFS),y)/ifeq (y,n)/' \
    -e '1i ccflags-y += -I$(src)' "$visl/Makefile"
sed -i 's,define TRACE_INCLUDE_PATH.*,define TRACE_INCLUDE_PATH .,' "$visl"/*trace*.h
# With the kernel there, type information would be made for the module, by a program more.
rm "$sources/$headers/vmlinux"
make -s -C "$sources/$headers" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc \
    M="$(realpath "$visl")" modules >"$dir/log" 2>&1 || { tail -20 "$dir/log" >&2 && exit 1; }
mkdir "$dir/$release"
aarch64-linux-gnu-strip --strip-debug -o "$dir/$release/visl.ko" "$visl/visl.ko"
rm -rf "$work" "$dir/apt" "$dir/apt-here"
