#!/usr/bin/env bash
# Checks the Buildroot tree as far as that goes without Buildroot, in seconds: names, files, form, scripts, and the disk and
# the update made from stand-ins. check.sh does the rest where a Buildroot tree is at hand.
# Needs shellcheck u-boot-tools genimage mtools dosfstools e2fsprogs gdisk squashfs-tools rauc.
# shellcheck disable=SC2317 # the functions are called by check
set -uo pipefail
tree=$(cd "$(dirname "$0")" && pwd)
cd "$tree" || exit 1
# shellcheck source=/dev/null
. scripts/check-lib.sh
boards="rpi4 rpi5 rk3588 imx8mp qemu"

description() {
	grep -qxE 'name: [A-Za-z0-9_]+' external.desc && grep -qxE 'desc: .{1,40}' external.desc &&
		[ "$(wc -l <external.desc)" = 2 ]
}

# Every symbol that is set or selected exists in the pinned Buildroot release or in our own packages.
symbols() {
	cat configs/* package/*/Config.in package/*/*.mk | grep -oE 'BR2_[A-Za-z0-9_]+' | sort -u |
		grep -vxF -e BR2_EXTERNAL_H5EDGE_PATH -e BR2_CMAKE_HOST_DEPENDENCY |
		comm -23 - <({
			grep -v '^#' symbols.txt
			sed -n 's/^config //p' package/*/Config.in
		} | sort -u) | sed 's/$/: no such symbol/' >"$work/unknown"
	cat "$work/unknown"
	[ ! -s "$work/unknown" ]
}

# What a defconfig names in our tree is there.
named_files() {
	local path found=0
	while read -r path; do
		[ -e "$tree/$path" ] || { echo "$1: $path does not exist" && found=1; }
	done < <(grep -oE '\$\(BR2_EXTERNAL_H5EDGE_PATH\)/[^ "]+' "configs/h5edge_$1_defconfig" | sed 's/^[^/]*\///')
	return "$found"
}

board_files() {
	local file files="meta genimage.cfg linux.fragment readme.txt"
	# shellcheck source=/dev/null
	(. "board/$1/meta" && [ "$COMPATIBLE" = "h5edge-$1" ]) || { echo "meta: not for $1" && return 1; }
	grep -qx BOOTLOADER=uboot "board/$1/meta" && files="$files board.env uboot.fragment"
	for file in $files; do
		[ -s "board/$1/$file" ] || { echo "board/$1/$file is missing" && return 1; }
	done
	[ -s "configs/h5edge_$1_defconfig" ] && grep -qx "BR2_ROOTFS_POST_SCRIPT_ARGS=\"$1\"" "configs/h5edge_$1_defconfig"
}

# What no image may be without.
musts() {
	local line
	for line in BR2_REPRODUCIBLE=y BR2_DOWNLOAD_FORCE_CHECK_HASHES=y BR2_INIT_SYSTEMD=y BR2_INIT_SYSTEMD_VAR_NONE=y \
		"# BR2_TARGET_ENABLE_ROOT_LOGIN is not set" "# BR2_TARGET_GENERIC_GETTY is not set" \
		"# BR2_TARGET_GENERIC_REMOUNT_ROOTFS_RW is not set" "# BR2_PACKAGE_DROPBEAR_CLIENT is not set" \
		BR2_TARGET_ROOTFS_SQUASHFS4_ZSTD=y BR2_LINUX_KERNEL_INSTALL_TARGET=y BR2_PACKAGE_H5EDGE=y \
		BR2_PACKAGE_H5EDGE_APPLIANCE=y; do
		grep -qxF "$line" "configs/h5edge_$1_defconfig" || { echo "missing: $line" && return 1; }
	done
}

# Fragments of the kernel and of U-Boot: only settings and comments, none twice; the virtual decoder for QEMU only.
fragments() {
	local file
	for file in board/*/*.fragment; do
		if grep -nvE '^(|#.*|CONFIG_[A-Z0-9_]+=(y|m|-?[0-9]+|"[^"]*"))$' "$file"; then echo "in $file" && return 1; fi
		if grep -nE '^# *CONFIG_' "$file" | grep -vE '# CONFIG_[A-Z0-9_]+ is not set$'; then echo "in $file" && return 1; fi
	done
	for board in $boards; do
		for file in linux uboot; do
			cat board/common/$file.fragment "board/$board/$file.fragment" 2>/dev/null | grep -oE 'CONFIG_[A-Z0-9_]+' |
				sort | uniq -d | sed "s/$/ twice for $board/" | grep . && return 1
		done
	done
	[ "$(grep -l VISL board/*/linux.fragment)" = board/qemu/linux.fragment ]
}

scripts() {
	local file
	while read -r file; do
		shellcheck "$file" || return 1
	done < <(grep -rlE '^#!/(usr/bin/env bash|bin/(ba)?sh)$|^# shellcheck shell' . --include='*' --exclude-dir=debian)
}

# U-Boot's shell is close enough to sh for its syntax to be checked by one.
boot_script() { sh -n ota/boot.cmd && mkimage -A arm64 -T script -C none -d ota/boot.cmd "$work/boot.scr"; }

package_version() {
	[ "$(sed -n 's/^H5EDGE_VERSION = //p' package/h5edge/h5edge.mk)" = \
		"$(sed -n 's/^version = "\(.*\)"$/\1/p' ../Cargo.toml | head -n 1)" ]
}

licences() { (cd .. && sed -n 's/^sha256  //p' buildroot/package/h5edge/h5edge.hash | sha256sum -c); }

same_user() {
	local number
	number=$(awk '$1 == "u" && $2 == "h5edge" { print $3 }' ../rootfs-overlay/usr/lib/sysusers.d/h5edge.conf)
	grep -qE "^\sh5edge $number h5edge $number " package/h5edge/h5edge.mk
}

# RELEASE=1 takes keys of one's own and nothing of the developer's. In an empty folder, so that no key lies about.
release_keys() {
	local keys=$work/keys
	mkdir -p "$keys"
	openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=ours" -keyout "$keys/key" -out "$keys/cert" 2>/dev/null
	cat >"$keys/try" <<-EOF
		set -eu
		. "$tree/ota/keys.sh"
		h5edge_keys
		echo "\$VARIANT"
	EOF
	try() { (cd "$keys" && env -u RAUC_KEY -u RAUC_CERT -u RAUC_KEYRING "$@" bash try 2>"$keys/said"); }
	[ "$(try RELEASE=)" = dev ] || { echo "no development key was made" && return 1; }
	local dev=$keys/target/appliance/keys/dev.cert.pem
	! try RELEASE=1 || { echo "a release with the developer's key" && return 1; }
	! try RELEASE=1 "RAUC_KEY=$keys/key" "RAUC_CERT=$keys/cert" "RAUC_KEYRING=$dev" || { echo "a release with the developer's keyring" && return 1; }
	grep -q "development one" "$keys/said" || return 1
	[ "$(try RELEASE=1 "RAUC_KEY=$keys/key" "RAUC_CERT=$keys/cert" "RAUC_KEYRING=$keys/cert")" = release ]
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check "external.desc" description
check "symbols exist in $(head -n 1 symbols.txt | sed 's/^# //')" symbols
check "fragments' form" fragments
check "shellcheck" scripts
check "boot.cmd compiles" boot_script
check "package version is Cargo.toml's" package_version
check "licence hashes" licences
check "keys of a release" release_keys
check "user number is sysusers.d's" same_user
for board in $boards; do
	check "$board: all files there" board_files "$board"
	check "$board: files named in the defconfig" named_files "$board"
	check "$board: hardening and layout lines" musts "$board"
	check "$board: root, disk and update from stand-ins" bash scripts/check-image.sh "$board"
done
check "rpi5: tryboot backend" bash scripts/check-tryboot.sh
finish
