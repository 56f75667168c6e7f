#!/usr/bin/env bash
# kernel.sh DIR: Debian's newest kernel 6.12 for arm64 in DIR: Image, tree/usr/lib/modules with the modules of modules.txt and
# what they need, initrd.img (initramfs.sh), and what the packages say of themselves in status and copyright/.
# It is Debian 12's build of that kernel, so that modules made with Debian 12's compiler load.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
dir=$1
rm -rf "$dir"
mkdir -p "$dir/work"

apt_root "$dir/apt" arm64 bookworm bookworm-security
package=$(apt-cache "${apt_of[@]}" depends linux-image-6.12-arm64 | awk '$1 == "Depends:" { print $2 }')
(cd "$dir/work" && apt-get "${apt_of[@]}" download "$package" busybox-static)
release=${package#linux-image-}
unpack "$dir/all" "$dir"/work/*.deb
describe "$dir" "$dir"/work/*.deb
mv "$dir/all/boot/vmlinuz-$release" "$dir/Image"

# Modules built elsewhere ($dir/../modules) count as the kernel's own.
from=$dir/all/lib/modules/$release
if [ -d "$dir/../modules/$release" ]; then
    mkdir "$from/extra"
    cp "$dir/../modules/$release"/*.ko "$from/extra/"
fi
depmod -b "$dir/all" "$release"

# closure PART: the files of a part of modules.txt, each after those it needs.
closure() {
    awk -v part="[$1]" '{ sub(/#.*/, "") } /^\[/ { on = ($1 == part); next } on && NF { print $1 }' "$here/modules.txt" |
        while read -r module; do
            # A module that the kernel has built in shows as "builtin".
            modprobe -d "$dir/all" -S "$release" --show-depends "$module" || exit
        done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

to=$dir/tree/usr/lib/modules/$release
mkdir -p "$to"
cp "$from"/modules.{builtin,builtin.modinfo,order} "$to/"
{ closure initramfs && closure system; } >"$dir/work/files"
[ ! -d "$from/extra" ] || find "$from/extra" -name '*.ko' | while read -r file; do
    modprobe -d "$dir/all" -S "$release" --show-depends "$(basename "$file" .ko)" | awk '{ print $2 }'
done >>"$dir/work/files"
sort -u "$dir/work/files" | while read -r file; do
    install -D -m 644 "$file" "$to/${file#"$from"/}"
done
mkdir -p "$dir/tree/lib" && ln -s ../usr/lib/modules "$dir/tree/lib/modules"
depmod -b "$dir/tree" "$release"
rm -r "$dir/tree/lib"
mapfile -t first < <(closure initramfs)
"$here/initramfs.sh" "$dir/initrd.img" "$dir/all/bin/busybox" "${first[@]}"
rm -r "$dir/all" "$dir/work" "$dir/apt"
