#!/usr/bin/env bash
# sysroot.sh DIR: unpacks into DIR what an arm64 build of h5edge links with: libc, GStreamer, Rust's library. Nothing is
# installed on this machine and nothing of arm64 is run. Debian 12's amd64 and arm64 GStreamer headers cannot be installed
# together, which is why this is a folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
dir=$1
rm -rf "$dir" "$dir.apt"

apt_root "$dir.apt" arm64 bookworm bookworm-security
apt_fetch "$dir.apt" libc6-dev libgcc-12-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev \
    libgstreamer-plugins-bad1.0-0 libgstrtspserver-1.0-dev
# Rust's library has to be of the very compiler's version. The headers of plugins-bad come without what they depend on,
# which would be OpenCV and 700 MB.
rust=$(dpkg-query -W -f '${Version}' rustc-web)
(cd "$dir.apt/cache/archives" &&
    apt-get "${apt_of[@]}" download libgstreamer-plugins-bad1.0-dev "libstd-rust-web-dev=$rust")
unpack "$dir" "$dir.apt"/cache/archives/*.deb
rm -r "$dir.apt"

# Absolute links would lead out of the folder.
cd "$dir"
rm -rf usr/share/{doc,man,locale,icons} usr/lib/python3* usr/lib/aarch64-linux-gnu/{dri,libLLVM*}
find lib usr -type l -lname '/*' | while read -r link; do
    ln -snf -r ".$(readlink "$link")" "$link"
done
